import { createApp } from 'vue'
import '../look/tokens.css'
import '../look/base.css'
import '../frame/pages.css'
import '../words/clerk'
import { words } from '../words'
import ClerkPage from './ClerkPage.vue'
import { meet } from './session'

void meet()
createApp(ClerkPage).use(words).mount('#app')
