/** How a due date stands to today. */

import { dayOfIso, today } from '../calendar.ts'
import type { Task } from './contract'

/** Whole days that are left; negative when it is past. */
export function daysLeft(due: string, now: Date = new Date()): number {
  return dayOfIso(due) - today(now)
}

export function isOverdue(task: Pick<Task, 'state' | 'due_on'>, now: Date = new Date()): boolean {
  return task.state === 'open' && daysLeft(task.due_on, now) < 0
}
