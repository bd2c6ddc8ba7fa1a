/** How often the work on a delivery is asked about: each second while it moves, ever less often while nobody answers. */

const STEP_MS = 1000
const LONG_AFTER_MS = 120_000
const LONG_STEP_MS = 5000
const MOST_MS = 30_000

/** The pause before the next question, after `waited_ms` of waiting and a number of failures in a row. */
export function pause(waited_ms: number, failures: number): number {
  if (failures) return Math.min(MOST_MS, STEP_MS * 2 ** failures)
  return waited_ms < LONG_AFTER_MS ? STEP_MS : LONG_STEP_MS
}

/** Asks until `ask` says that it is done; the function that is returned ends it before. */
export function poll(ask: () => Promise<boolean>): () => void {
  const begun = Date.now()
  let failures = 0
  let timer = 0
  let isOver = false

  async function turn(): Promise<void> {
    try {
      if (await ask()) return
      failures = 0
    } catch {
      failures += 1
    }
    if (!isOver) timer = window.setTimeout(turn, pause(Date.now() - begun, failures))
  }

  timer = window.setTimeout(turn, STEP_MS)
  return () => {
    isOver = true
    window.clearTimeout(timer)
  }
}
