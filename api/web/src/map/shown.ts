/** What is drawn before anyone has switched anything: the style says so. */

import type { StyleSpecification } from 'maplibre-gl'

/** The collections that the style draws at first. */
export function shownIn(style: StyleSpecification | null): Set<string> {
  const shown = new Set<string>()
  for (const layer of style?.layers ?? []) {
    const id = collectionOf(layer)
    if (id && (layer.layout as { visibility?: string } | undefined)?.visibility !== 'none') shown.add(id)
  }
  return shown
}

/** The collection that a layer of the style draws; null where it draws none. */
export function collectionOf(layer: { metadata?: unknown }): string | null {
  const id = (layer.metadata as Record<string, unknown> | undefined)?.['onemap:collection']
  return typeof id === 'string' ? id : null
}
