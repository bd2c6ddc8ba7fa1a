/** What the pages of accounts ask and send; the session's cookie goes with it by itself. */

import type { Language } from '../contract'
import { revive } from '../punctuation'
import { failureOf, ServiceError } from '../service'

/** An answer with the tag of its state, by which a change says what it changes. */
export interface Tagged<T> {
  content: T
  tag: string
}

/** Sends something as JSON; answers without content are null. */
export async function send<T>(method: string, path: string, language: Language, content?: object): Promise<T> {
  return (await sendTagged<T>(method, path, language, content)).content
}

/** The same, for what may only be changed by who has seen it as it is: `seen` is the tag under which it came. */
export async function sendTagged<T>(method: string, path: string, language: Language, content?: object, seen = ''): Promise<Tagged<T>> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language }
  if (content) headers['Content-Type'] = 'application/json'
  if (seen) headers['If-Match'] = seen
  let response: Response
  try {
    response = await fetch(path, { method, headers, ...(content ? { body: JSON.stringify(content) } : {}) })
  } catch {
    throw new ServiceError('unreachable', '')
  }
  const body = await response.text().catch(() => '')
  if (!response.ok) throw failureOf(response.status, body)
  return { content: (body ? JSON.parse(body, revive) : null) as T, tag: response.headers.get('ETag') ?? '' }
}

/** Any failure as one that has words. */
export function known(error: unknown): ServiceError {
  return error instanceof ServiceError ? error : new ServiceError('wrong', '')
}
