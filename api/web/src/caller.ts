/** Who asks, as far as every page needs to know it. */

import type { Language } from './contract'
import { ask, ServiceError } from './service'

export interface Caller {
  name: string
  role: string
  department: string | null
  restricted: boolean
  /** The purposes that may have to be stated: whether some data are told for a stated one only, and those declared. */
  purposes?: { needed: boolean; declared: string[] }
}

/** Who has signed in with an account in this browser; null is nobody. A session that has ended is told once. */
export async function knownCaller(language: Language): Promise<Caller | null> {
  const caller = await askMe(language).catch((error: unknown) => {
    if (error instanceof ServiceError && error.status === 401) return askMe(language)
    throw error
  })
  return caller.name ? { ...caller, name: caller.name } : null
}

function askMe(language: Language): Promise<Omit<Caller, 'name'> & { name: string | null }> {
  return ask('/me', language)
}
