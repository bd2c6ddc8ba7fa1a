import { createApp } from 'vue'
import '../look/tokens.css'
import '../look/base.css'
import '../frame/pages.css'
import '../words/account'
import { words } from '../words'
import AccountPage from './AccountPage.vue'
import { meet } from './session'

void meet()
createApp(AccountPage).use(words).mount('#app')
