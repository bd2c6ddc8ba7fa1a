import { createApp } from 'vue'
import App from './App.vue'
import './look/tokens.css'
import './look/base.css'
import './words/map'
import { words } from './words'

createApp(App).use(words).mount('#app')
