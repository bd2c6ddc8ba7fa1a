/** What the server says: the shapes of its answers, as far as the map reads them. */

export type Language = 'zh' | 'en'

/** One label or sentence in both languages. */
export type Text = Record<Language, string>

export type GeometryType = 'point' | 'line' | 'polygon'

export type FieldType = 'text' | 'integer' | 'number' | 'boolean' | 'date' | 'instant'

export interface Field {
  name: string
  type: FieldType
  title: Text
  /** UCUM symbol, empty where the value has no unit. */
  unit: string
  description: Text | null
  /** The words of a coded field, by code. */
  values: Record<string, Text>
}

export interface StyleClass {
  value: string | number
  color: string
  dark: string
  title: Text
  width_px: number | null
}

/** The declared look of a collection; the legend and the map are both drawn from it. */
export interface Style {
  color: string
  dark: string
  outline: string | null
  outline_dark: string | null
  opacity: number
  width_px: number
  radius_px: number
  by: string | null
  classes: StyleClass[]
  label: string | null
  height: string | null
  order: number
  base: boolean
}

export type Box = [west: number, south: number, east: number, north: number]

export interface Collection {
  id: string
  titles: Text
  descriptions: Text
  group: Text
  geometryType: GeometryType | null
  extent?: {
    spatial?: { bbox?: (Box | null)[] }
    temporal?: { interval?: [string | null, string | null][] }
  }
  minzoom: number
  maxzoom: number
  timed: boolean
  base: boolean
  count: number | null
  updated: string | null
  source: Text
  license: string
  fields: Field[]
  style: Style | null
}

export type Value = string | number | boolean | null

export interface Feature {
  type: 'Feature'
  id: number
  geometry: GeoJSON.Geometry | null
  properties: Record<string, Value>
  'onemap:provenance'?: Provenance
}

/** Where a feature comes from. */
export interface Provenance {
  source: Text | null
  licence: string | null
  file: string | null
  row: number | null
}

/** The name of one feature in the whole city. */
export interface FeatureId {
  collection: string
  fid: number
}

/** A place that an address means: a row of a register where `collection` and `fid` name one. */
export interface AddressPlace {
  level: string
  level_title: Text
  address: string
  collection: string | null
  fid: number | null
  lon: number | null
  lat: number | null
  radius_m: number | null
}

/** What an address text means; several places fit an ambiguous one equally well. */
export interface AddressMatch {
  level: string
  level_title: Text
  ambiguous: boolean
  lon: number | null
  lat: number | null
  place: AddressPlace | null
  candidates: AddressPlace[]
}

/** A feature near a place. */
export interface Near {
  fid: number
  name: string | null
  distance_m: number | null
  /** Clockwise from north; null at the place itself. */
  bearing_deg: number | null
  related: { collection: string; field: string; title: string; count: number; countIs: CountIs }[]
}

/** How sure a count is. */
export type CountIs = 'exact' | 'at least' | 'estimate'

/** What one collection holds around a place. */
export interface Held {
  id: string
  title: string
  count: number
  countIs: CountIs
  kinds: { value: string | null; title: string | null; count: number }[]
  nearest: Near[]
}

/** What anonymous figures rest on. */
export interface Foundation {
  /** The set date of which they are. */
  date: string
  /** No count below it is told. */
  smallest: number
  /** The finest cells in which they are told. */
  resolution: number
  /** Whether more was counted than the area asked for: the cells that it lies in. */
  areaWidened: boolean
}

/** How many there are of what is told in counts alone; null, with why, where nothing is told of that time. */
export interface Counted {
  collection: string
  title: string
  count: number | null
  why?: string
  'onemap:anonymous'?: Foundation
}

/** What the one map holds around a place, by layer. */
export interface Here {
  lon: number
  lat: number
  layers: { id: string; title: string; collections: Held[] }[]
  anonymous?: Counted[]
}
