/** What the pages of accounts ask and send; the session's cookie goes with it by itself. */

import type { Language } from '../contract'
import { failureOf, ServiceError } from '../service'

/** Sends something as JSON; answers without content are null. */
export async function send<T>(method: string, path: string, language: Language, content?: object): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language }
  if (content) headers['Content-Type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(path, { method, headers, ...(content ? { body: JSON.stringify(content) } : {}) })
  } catch {
    throw new ServiceError('unreachable', '')
  }
  const body = await response.text().catch(() => '')
  if (!response.ok) throw failureOf(response.status, body)
  return (body ? JSON.parse(body) : null) as T
}

/** Any failure as one that has words. */
export function known(error: unknown): ServiceError {
  return error instanceof ServiceError ? error : new ServiceError('wrong', '')
}
