/** An answer of the server that follows what is asked: loading, there, or failed; the last question wins. */

import { ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from 'vue'
import { ServiceError } from '../service'
import { key } from './key'
import { shut } from './session'

export interface Answer<T> {
  value: ShallowRef<T | null>
  failure: ShallowRef<ServiceError | null>
  isLoading: Ref<boolean>
  again: () => Promise<void>
}

/** Asks at once and whenever `when` changes. What was there stays on screen until the next answer has come. */
export function useAnswer<T>(question: () => Promise<T>, when: WatchSource<unknown>): Answer<T> {
  const value = shallowRef<T | null>(null)
  const failure = shallowRef<ServiceError | null>(null)
  const isLoading = ref(true)
  let asked = 0

  async function again(): Promise<void> {
    const turn = ++asked
    isLoading.value = true
    try {
      const told = await question()
      if (turn !== asked) return
      value.value = told
      failure.value = null
    } catch (error) {
      if (turn !== asked) return
      value.value = null
      failure.value = failureOfError(error)
    }
    isLoading.value = false
  }

  watch(when, again, { immediate: true })
  return { value, failure, isLoading, again }
}

/** Whatever went wrong, as one of the few kinds that have words. Who is not known any more has to come again. */
export function failureOfError(error: unknown): ServiceError {
  const known = error instanceof ServiceError ? error : new ServiceError('wrong', '')
  if (known.status === 401) shut(key.value ? 'refused' : 'closed')
  return known
}
