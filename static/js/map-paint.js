// Draws the points of a map: with WebGL2, or else on a plain canvas. Colour and shape both tell a point's code.

const SHAPES = 6; // circle, square, diamond, triangle, cross, ring
const FAINT = 0.12;

const VERTEX = `#version 300 es
in vec2 place; in float code; in float chosen;
uniform vec2 centre; uniform vec2 reach; uniform float size; uniform float shown; uniform float anyChosen; uniform vec3 hues[13];
out vec4 colour; out float shape;
void main() {
  vec2 at = (place - centre) / reach;
  gl_Position = vec4(at.x, -at.y, 0.0, 1.0);
  gl_PointSize = size * (chosen > 0.5 ? 1.35 : 1.0);
  bool isOut = (shown >= 0.0 && abs(shown - code) > 0.5) || (anyChosen > 0.5 && chosen < 0.5);
  int number = int(code + 0.5);
  colour = vec4(hues[number], isOut ? ${FAINT} : 0.85);
  shape = number >= 12 ? 0.0 : float((number + number / 6) % ${SHAPES});
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 colour; in float shape; uniform float size; out vec4 drawn;
void main() {
  vec2 p = 2.0 * gl_PointCoord - 1.0; float r = length(p); bool isIn;
  if (size < 4.0 || shape < 0.5) isIn = r <= 1.0;
  else if (shape < 1.5) isIn = max(abs(p.x), abs(p.y)) <= 0.82;
  else if (shape < 2.5) isIn = abs(p.x) + abs(p.y) <= 1.0;
  else if (shape < 3.5) isIn = p.y <= 0.8 && abs(p.x) <= 0.55 * (p.y + 1.0);
  else if (shape < 4.5) isIn = min(abs(p.x), abs(p.y)) <= 0.34;
  else isIn = r <= 1.0 && r >= 0.5;
  if (!isIn) discard;
  drawn = vec4(colour.rgb * colour.a, colour.a);
}`;

function link(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

class Shaded {
  kind = "webgl2";

  buffers = {};

  constructor(gl, program) {
    [this.gl, this.program, this.canvas] = [gl, program, gl.canvas];
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.at = (name) => gl.getUniformLocation(program, name);
  }

  #fill(name, data, size, type) {
    const gl = this.gl;
    const place = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, (this.buffers[name] ??= gl.createBuffer()));
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, false, 0, 0);
  }

  take(points, codes, chosen) {
    this.count = points.count;
    this.#fill("place", points.places, 2, this.gl.UNSIGNED_SHORT);
    this.#fill("code", codes, 1, this.gl.UNSIGNED_BYTE);
    this.#fill("chosen", chosen, 1, this.gl.UNSIGNED_BYTE);
  }

  paint({ sight, ratio, size, hues, shown, anyChosen }) {
    const gl = this.gl;
    gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(this.at("centre"), sight.x, sight.y);
    gl.uniform2f(this.at("reach"), sight.width / 2 / sight.scale, sight.height / 2 / sight.scale);
    gl.uniform1f(this.at("size"), size * ratio);
    gl.uniform1f(this.at("shown"), shown);
    gl.uniform1f(this.at("anyChosen"), anyChosen ? 1 : 0);
    gl.uniform3fv(this.at("hues"), hues.flat().map((part) => part / 255));
    gl.drawArrays(gl.POINTS, 0, this.count);
  }
}

class Plain {
  kind = "2d";

  constructor(context) {
    [this.context, this.canvas] = [context, context.canvas];
  }

  take(points, codes, chosen) {
    Object.assign(this, { points, codes, chosen });
  }

  paint({ sight, ratio, size, hues, shown, anyChosen }) {
    const context = this.context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, sight.width, sight.height);
    const styles = hues.map((hue) => [0.85, FAINT].map((alpha) => `rgb(${hue.join(" ")} / ${alpha})`));
    this.points.visit(...sight.bounds, (row, x, y) => {
      const code = this.codes[row];
      const isOut = (shown >= 0 && shown !== code) || (anyChosen && !this.chosen[row]);
      const [px, py] = sight.toScreen(x, y);
      context.fillStyle = styles[code][isOut ? 1 : 0];
      this.#mark(code >= 12 || size < 4 ? 0 : (code + Math.floor(code / 6)) % SHAPES, px, py, size / 2);
    });
  }

  #mark(shape, x, y, r) {
    const context = this.context;
    if (r < 2) return context.fillRect(x - r, y - r, 2 * r, 2 * r);
    context.beginPath();
    if (shape === 0) context.arc(x, y, r, 0, 7);
    else if (shape === 1) context.rect(x - r * 0.82, y - r * 0.82, r * 1.64, r * 1.64);
    else if (shape === 2) for (const [dx, dy] of [[0, -r], [r, 0], [0, r], [-r, 0]]) context.lineTo(x + dx, y + dy);
    else if (shape === 3) for (const [dx, dy] of [[0, -r], [r, r * 0.8], [-r, r * 0.8]]) context.lineTo(x + dx, y + dy);
    else if (shape === 4) {
      context.rect(x - r, y - r * 0.34, 2 * r, r * 0.68);
      context.rect(x - r * 0.34, y - r, r * 0.68, 2 * r);
    } else {
      context.arc(x, y, r, 0, 7);
      context.arc(x, y, r / 2, 0, 7, true);
    }
    context.fill();
  }
}

/** Something to draw with, or null where the browser has no canvas at all. */
export function makePainter(canvas) {
  const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, premultipliedAlpha: true });
  const program = gl && link(gl);
  if (program) return new Shaded(gl, program);
  const fresh = gl ? canvas.cloneNode() : canvas; // a canvas is of one kind for ever
  if (gl) canvas.replaceWith(fresh);
  const context = fresh.getContext("2d");
  return context && new Plain(context);
}

const PATHS = [
  "M8 2a6 6 0 1 0 .01 0z", "M3 3h10v10H3z", "M8 1l7 7-7 7-7-7z", "M8 1.5l6.5 12.5h-13z", "M6 1h4v5h5v4h-5v5H6v-5H1V6h5z",
  "M8 1.5a6.5 6.5 0 1 0 .01 0zM8 5a3 3 0 1 1-.01 0z",
];

/** The mark of a code as the path of a small picture, 16 by 16, for the legend. */
export const pathOf = (code) => PATHS[code >= 12 ? 0 : (code + Math.floor(code / 6)) % SHAPES];
