import { readFileSync } from 'node:fs'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const server = 'http://127.0.0.1:8000'

/** What stands in the head of every page, from one file. */
const sharedHead: Plugin = {
  name: 'onemap-head',
  transformIndexHtml: {
    order: 'pre',
    handler: (html) => html.replace('<!-- src/look/head.html -->', () => readFileSync(new URL('src/look/head.html', import.meta.url), 'utf-8')),
  },
}

export default defineConfig({
  base: '/map/',
  plugins: [vue(), sharedHead],
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  build: {
    target: 'es2022',
    rolldownOptions: { input: { index: 'index.html', exchange: 'exchange.html', account: 'account.html' } },
    // the map library is one large file by nature; the shell paints before it has arrived
    chunkSizeWarningLimit: 1300,
    // images as files, so that the content security policy needs no exception for them
    assetsInlineLimit: 0,
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/collections': server, '/styles': server, '/health': server, '/exchange': { target: server, bypass: (asked) => (asked.url === '/exchange' ? '/map/exchange.html' : undefined) } },
  },
})
