/** Patterns that the style asks for by name; drawn here, since nothing is fetched for them. */

const SIZE = 16

/** Diagonal hatching of areas without a value. */
export function hatch(ink: string): ImageData | null {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIZE
  const pen = canvas.getContext('2d')
  if (!pen) return null
  pen.strokeStyle = ink
  pen.lineWidth = 1.6
  for (const shift of [-SIZE, 0, SIZE]) {
    pen.beginPath()
    pen.moveTo(shift, SIZE)
    pen.lineTo(shift + SIZE, 0)
    pen.stroke()
  }
  return pen.getImageData(0, 0, SIZE, SIZE)
}
