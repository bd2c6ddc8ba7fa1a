/** The words of the clerks’ pages. */

import { teach } from '..'
import en from './en'
import zh from './zh'

teach(zh, en)
