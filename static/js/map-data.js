// The points of a map: where each lies, which is nearest to a place, and which lie inside a shape.
// Places are whole numbers from 0 to 65,535, x to the right and y downwards; a row is a point's number.

export const SIDE = 65535;
const CELLS = 256; // a side of the grid in which points are looked up
const SHIFT = 8; // from a place to its cell

export class Points {
  constructor(buffer) {
    const count = new DataView(buffer).getUint32(0, true);
    this.count = count;
    this.places = new Uint16Array(buffer, 4, 2 * count);
    const steps = new Uint32Array(buffer.slice(4 + 4 * count));
    this.positions = new Uint32Array(count); // of the items, ascending
    for (let row = 0, position = -1; row < count; row++) this.positions[row] = position += steps[row] + 1;
    this.#sort();
  }

  /** The row of an item, -1 where the map has none of that position. */
  rowOf(position) {
    let [low, high] = [0, this.count - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.positions[middle] === position) return middle;
      if (this.positions[middle] < position) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Calls `each(row)` for the points in a rectangle of places, in the order of their cells. */
  visit(left, top, right, bottom, each) {
    const cell = (place) => Math.min(CELLS - 1, Math.max(0, Math.floor(place) >> SHIFT));
    for (let down = cell(top); down <= cell(bottom); down++) {
      for (let across = cell(left); across <= cell(right); across++) {
        const at = down * CELLS + across;
        for (let entry = this.starts[at]; entry < this.starts[at + 1]; entry++) {
          const row = this.rows[entry];
          const [x, y] = [this.places[2 * row], this.places[2 * row + 1]];
          if (x >= left && x <= right && y >= top && y <= bottom) each(row, x, y);
        }
      }
    }
  }

  /** The row nearest to a place, not further than `reach`; -1 where there is none. */
  nearest(x, y, reach) {
    let [best, least] = [-1, reach * reach];
    this.visit(x - reach, y - reach, x + reach, y + reach, (row, px, py) => {
      const apart = (px - x) ** 2 + (py - y) ** 2;
      if (apart <= least) [best, least] = [row, apart];
    });
    return best;
  }

  /** Rows inside a shape [[x, y], ...], by the even-odd rule, reckoned as in `search/selectors/map_points.py`. */
  inside(corners) {
    const found = [];
    for (let row = 0; row < this.count; row++) {
      const [x, y] = [this.places[2 * row], this.places[2 * row + 1]];
      let within = false;
      for (let at = 0, last = corners.length - 1; at < corners.length; last = at++) {
        const [[x0, y0], [x1, y1]] = [corners[at], corners[last]];
        if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) within = !within;
      }
      if (within) found.push(row);
    }
    return found;
  }

  #sort() {
    const cellOf = (row) => (this.places[2 * row + 1] >> SHIFT) * CELLS + (this.places[2 * row] >> SHIFT);
    this.starts = new Uint32Array(CELLS * CELLS + 1);
    for (let row = 0; row < this.count; row++) this.starts[cellOf(row) + 1]++;
    for (let at = 0; at < CELLS * CELLS; at++) this.starts[at + 1] += this.starts[at];
    const next = this.starts.slice(0, -1);
    this.rows = new Uint32Array(this.count);
    for (let row = 0; row < this.count; row++) this.rows[next[cellOf(row)]++] = row;
  }
}

/** A drawn line as a shape of at most `most` corners: whole numbers on the map, none twice in a row. */
export function simplify(line, most) {
  const step = Math.max(1, line.length / most);
  const corners = [];
  for (let at = 0; at < line.length && corners.length < most; at = Math.ceil(corners.length * step)) {
    corners.push(line[at].map((place) => Math.min(SIDE, Math.max(0, Math.round(place)))));
  }
  return corners;
}
