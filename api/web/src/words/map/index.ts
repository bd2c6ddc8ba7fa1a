/** The words of the map. */

import { teach } from '..'
import en from './en'
import zh from './zh'

teach(zh, en)
