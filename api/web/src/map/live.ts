/** Follows what changes in the city and asks again for the tiles that show it, and for no others. */

import type { Map as MapLibre } from 'maplibre-gl'

/** A tile or a square of the map: zoom, column, row. */
export type Square = [z: number, x: number, y: number]

/** Where something changed, by collection. */
export type Changed = ReadonlyMap<string, Square[]>

/** What lies this share of a tile beyond its edge may reach into it. */
const REACH = 0.25
/** The deepest squares that the log of changes tells of. */
const NEAR_ZOOM = 12
/** Many changes in a row are shown together. */
const GATHER_MS = 400
/** An answer that does not come is asked for again after so long, then twice as long, and so on. */
const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 60_000

/** Whether a change in a square can change a tile. */
export function reaches([sz, sx, sy]: Square, [z, x, y]: Square): boolean {
  const side = 2 ** -z
  const square = 2 ** -sz
  const apart = (at: number, from: number): boolean =>
    (at + 1 + REACH) * side <= from * square || (at - REACH) * side >= (from + 1) * square
  return !apart(x, sx) && !apart(y, sy)
}

/** The tiles of all zooms up to the deepest that lie in a part of the world, in shares of its width from the north-west. */
export function tilesIn(part: { left: number; top: number; right: number; bottom: number }, deepest: number): Square[] {
  const found: Square[] = []
  for (let z = 0; z <= deepest; z++) {
    const count = 2 ** z
    const top = Math.max(0, Math.floor(part.top * count))
    const bottom = Math.min(count - 1, Math.floor(part.bottom * count))
    const left = Math.floor(part.left * count)
    const right = Math.min(Math.floor(part.right * count), left + count - 1)
    for (let x = left; x <= right; x++) for (let y = top; y <= bottom; y++) found.push([z, ((x % count) + count) % count, y])
  }
  return found
}

function shareOfLatitude(lat: number): number {
  const bounded = Math.min(Math.max(lat, -85.0511), 85.0511)
  return 0.5 - Math.asinh(Math.tan((bounded * Math.PI) / 180)) / (2 * Math.PI)
}

/** Asks again for the tiles on screen that the squares reach into. */
function refresh(map: MapLibre, collection: string, squares: Square[]): void {
  if (!map.getSource(collection)) return
  if (squares.some(([z]) => z === 0)) return map.refreshTiles(collection)
  const bounds = map.getBounds()
  const part = {
    left: (bounds.getWest() + 180) / 360,
    right: (bounds.getEast() + 180) / 360,
    top: shareOfLatitude(bounds.getNorth()),
    bottom: shareOfLatitude(bounds.getSouth()),
  }
  const tiles = tilesIn(part, Math.ceil(map.getZoom()) + 1).filter((tile) => squares.some((square) => reaches(square, tile)))
  if (tiles.length) map.refreshTiles(collection, tiles.map(([z, x, y]) => ({ z, x, y })))
}

/** Whether something changed near a place, in longitude and latitude: within some kilometres, as the log tells it. */
export function reachesPlace(squares: Square[], [lon, lat]: [number, number]): boolean {
  const count = 2 ** NEAR_ZOOM
  const tile: Square = [NEAR_ZOOM, Math.floor(((lon + 180) / 360) * count), Math.floor(shareOfLatitude(lat) * count)]
  return squares.some((square) => reaches(square, tile))
}

/** Keeps the map up to date while it is looked at, and tells what changed where; returns what ends it. */
export function followChanges(map: MapLibre, tell: (changed: Changed) => void): () => void {
  let stream: EventSource | null = null
  let position = ''
  let pause_ms = FIRST_PAUSE_MS
  let again = 0
  let gathering = 0
  const waiting = new Map<string, Square[]>()

  function show(): void {
    gathering = 0
    for (const [collection, squares] of waiting) refresh(map, collection, squares)
    tell(new Map(waiting))
    waiting.clear()
  }

  function gather(changed: { id: string; tiles: Square[] }[]): void {
    for (const { id, tiles } of changed) waiting.set(id, [...(waiting.get(id) ?? []), ...tiles])
    if (!gathering) gathering = window.setTimeout(show, GATHER_MS)
  }

  function on(kind: string, act: (data: string) => void): void {
    stream?.addEventListener(kind, (event) => {
      const message = event as MessageEvent<string>
      position = message.lastEventId
      pause_ms = FIRST_PAUSE_MS
      act(message.data)
    })
  }

  function open(): void {
    close()
    if (document.hidden) return
    stream = new EventSource(position ? `/live?since=${encodeURIComponent(position)}` : '/live')
    on('begin', () => {})
    on('changes', (data) => gather((JSON.parse(data) as { collections: { id: string; tiles: Square[] }[] }).collections))
    on('reset', () => gather(Object.keys(map.getStyle().sources).map((id) => ({ id, tiles: [[0, 0, 0]] }))))
    // a browser tries again in its own time and for ever, and not at all after a refusal
    stream.onerror = () => {
      close()
      again = window.setTimeout(open, pause_ms)
      pause_ms = Math.min(2 * pause_ms, LONGEST_PAUSE_MS)
    }
  }

  function close(): void {
    window.clearTimeout(again)
    stream?.close()
    stream = null
  }

  // a browser keeps few connections to one server: a page that nobody looks at holds none
  document.addEventListener('visibilitychange', open)
  open()
  return () => {
    document.removeEventListener('visibilitychange', open)
    window.clearTimeout(gathering)
    close()
  }
}
