export default {
  brand: '一张图',
  page: { skip: '跳到正文', map: '打开地图' },
  state: { loading: '正在读取…', failed: '没有读到内容', refused: '没有权限', again: '重试' },
  sign: { in: '登录', out: '退出登录' },
  tools: {
    language: 'English',
    languageShort: 'EN',
    languageLabel: '切换语言：English',
    theme: '主题：{name}',
    auto: '跟随系统',
    light: '浅色',
    dark: '深色',
    large: '大字模式',
  },
  notice: {
    retry: '重试',
    unreachable: '连接不上服务器。请检查网络后重试。',
    missing: '服务器上没有这项内容。',
    refused: '您没有查看这项内容的权限。',
    busy: '服务器正忙，请稍后重试。',
    wrong: '服务器未能回答。',
  },
} as const
