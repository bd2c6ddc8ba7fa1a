/** What an administrator keeps: a list that is read, acts that change it, and what went wrong with the last one. */

import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { words } from '../words'
import type { ServiceError } from '../service'
import { known, send } from './service'
import { reading } from './session'

export interface Office<T> {
  told: ShallowRef<T | null>
  /** Why the list could not be read. */
  failure: ShallowRef<ServiceError | null>
  /** What the last act was refused for, in words; empty where it was not. */
  said: Ref<string>
  read: () => Promise<void>
  /** Does something and reads the list again; null where it was refused. */
  act: <A>(method: string, path: string, content?: object) => Promise<{ answer: A } | null>
}

export function useOffice<T>(path: string): Office<T> {
  const told = shallowRef<T | null>(null)
  const failure = shallowRef<ServiceError | null>(null)
  const said = ref('')

  async function read(): Promise<void> {
    failure.value = null
    try {
      told.value = await send<T>('GET', path, reading.language)
    } catch (error) {
      failure.value = known(error)
    }
  }

  async function act<A>(method: string, at: string, content?: object): Promise<{ answer: A } | null> {
    said.value = ''
    try {
      const answer = await send<A>(method, at, reading.language, content)
      await read()
      return { answer }
    } catch (error) {
      said.value = saidBy(error)
      return null
    }
  }

  void read()
  return { told, failure, said, read, act }
}

/** A failure as a sentence. */
export function saidBy(error: unknown): string {
  const { detail, kind } = known(error)
  return detail || words.global.t(`notice.${kind}`)
}
