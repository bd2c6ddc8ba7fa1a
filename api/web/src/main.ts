import { createApp } from 'vue'
import App from './App.vue'
import './look/tokens.css'
import './look/base.css'
import './look/panels.css'
import './look/panels.css'
import './words/map'
import { words } from './words'

createApp(App).use(words).mount('#app')
