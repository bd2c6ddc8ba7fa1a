/** The words of the pages of accounts. */

import { teach } from '..'
import en from './en'
import zh from './zh'

teach(zh, en)
