/** The colours in which the map marks what is selected, by theme; those of the page's accent and of the ground. */

export const INKS = { light: { accent: '#2f5bd0', halo: '#ffffff' }, dark: { accent: '#8cb0ff', halo: '#0d1014' } }
