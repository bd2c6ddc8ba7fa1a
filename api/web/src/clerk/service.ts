/** A clerk's questions to the server, with the key or the session's cookie; and what a clerk hands over and takes away. */

import type { Language } from '../contract'
import { ask, failureOf, ServiceError } from '../service'
import type { Clerk, Delivery, Listed, Mode, Register, Task, TaskRow } from './contract'
import { key } from './key'
import { mediaOf, nameIn, queryOf, type Filter } from './wire'

export interface HandOver {
  file: File
  register: string
  department: string
  mode: Mode
  /** ISO day for which the data speaks. */
  date: string
  /** Whether a full delivery may end more than a fifth of what the department had said. */
  'allow-ends': boolean
}

export function fetchClerk(language: Language): Promise<Clerk> {
  return askAsClerk('/exchange/me', language)
}

export async function fetchRegisters(language: Language): Promise<Register[]> {
  return askAsClerk<Register[]>('/exchange/registers', language)
}

export async function fetchDeliveries(filter: Filter, language: Language): Promise<Listed<Delivery>> {
  const answer = await askAsClerk<{ deliveries: Delivery[]; numberMatched: number }>(
    `/exchange/deliveries${queryOf(filter)}`,
    language,
  )
  return { found: answer.deliveries, matched: answer.numberMatched }
}

export function fetchDelivery(id: number, language: Language): Promise<Delivery> {
  return askAsClerk(`/exchange/deliveries/${id}`, language)
}

export function withdraw(id: number, language: Language): Promise<Delivery> {
  return askAsClerk(`/exchange/deliveries/${id}/withdraw`, language, { method: 'POST' })
}

/** Tasks; those of one delivery where it is named. */
export async function fetchTasks(delivery: number | null, filter: Filter, language: Language): Promise<Listed<Task>> {
  const path = delivery ? `/exchange/deliveries/${delivery}/returned` : '/exchange/returned'
  const answer = await askAsClerk<{ tasks: Task[]; numberMatched: number }>(path + queryOf(filter), language)
  return { found: answer.tasks, matched: answer.numberMatched }
}

export function fetchTask(id: number, language: Language): Promise<TaskRow> {
  return askAsClerk(`/exchange/returned/${id}`, language)
}

/** Asks as the clerk does, without a key where nobody gave one. */
export function askAsClerk<T>(path: string, language: Language, more: RequestInit = {}): Promise<T> {
  return ask<T>(path, language, { ...more, ...credentials(), headers: { ...more.headers, ...authorization() } })
}

/** Ends the session of the account by which the clerk came. */
export async function leave(language: Language): Promise<void> {
  await fetch('/sign-out', { method: 'POST', headers: { 'Accept-Language': language } })
}

/** Sends a file; `progress` is told the share that has left. Fetch does not tell how far an upload is.
 *
 * `isBeside` is whether an account has signed in as well: its cookie must then stay away from the key, which no
 * XMLHttpRequest can keep it from.
 */
export function handOver(wish: HandOver, language: Language, isBeside: boolean, progress: (share: number) => void): Promise<Delivery> {
  const { file, ...asked } = wish
  const path = `/exchange/deliveries${queryOf({ ...asked, file: file.name })}`
  if (key.value && isBeside) {
    return askAsClerk<Delivery>(path, language, { method: 'POST', body: file, headers: { 'Content-Type': mediaOf(file.name) } })
  }
  const request = new XMLHttpRequest()
  request.open('POST', path)
  for (const [name, value] of Object.entries({ ...authorization(), 'Accept-Language': language })) {
    request.setRequestHeader(name, value)
  }
  request.setRequestHeader('Content-Type', mediaOf(file.name))
  request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0)
  return new Promise((resolve, reject) => {
    request.onload = () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText) as Delivery)
      else reject(failureOf(request.status, request.responseText))
    }
    request.onerror = () => reject(new ServiceError('unreachable', ''))
    request.send(file)
  })
}

/** Saves the Excel file of a delivery's returned rows. */
export async function saveReturned(delivery: number, language: Language): Promise<void> {
  const response = await fetch(`/exchange/deliveries/${delivery}/returned?f=xlsx`, {
    ...credentials(),
    headers: { ...authorization(), 'Accept-Language': language },
  }).catch(() => {
    throw new ServiceError('unreachable', '')
  })
  if (!response.ok) throw failureOf(response.status, await response.text())
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = nameIn(response.headers.get('Content-Disposition')) ?? `returned-${delivery}.xlsx`
  link.click()
  // the browser has taken hold of it by then
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

/** Who shows a key shows no cookie beside it: two who ask at once are nobody. */
function credentials(): RequestInit {
  return key.value ? { credentials: 'omit' } : {}
}

function authorization(): Record<string, string> {
  return key.value ? { Authorization: `Bearer ${key.value}` } : {}
}
