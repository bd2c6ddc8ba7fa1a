export default {
  brand: 'One Map',
  page: { skip: 'Skip to the content', map: 'Open the map' },
  state: { loading: 'Reading…', failed: 'This could not be read', refused: 'Not allowed', again: 'Try again' },
  sign: { in: 'Sign in', out: 'Sign out' },
  tools: {
    language: '中文',
    languageShort: '中',
    languageLabel: 'Change language: 中文',
    theme: 'Theme: {name}',
    auto: 'as the system',
    light: 'light',
    dark: 'dark',
    large: 'Large text',
  },
  notice: {
    retry: 'Try again',
    unreachable: 'The server cannot be reached. Check the network and try again.',
    missing: 'The server does not have this.',
    refused: 'You may not see this.',
    busy: 'The server is busy. Try again in a moment.',
    wrong: 'The server could not answer.',
  },
} as const
