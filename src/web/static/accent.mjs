// The site's one colour, made readable: a fill with its own text colour, and a colour for links, for each
// theme. Contrast as in WCAG 2.2; 4.5 for text. Values go through the CSSOM, so no inline style is needed.

const SURFACE = { light: '#f0f2f4', dark: '#1b1f24' };

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const toHex = (rgb) => '#' + rgb.map((c) => Math.round(c).toString(16).padStart(2, '0')).join('');
const mix = (hex, other, part) => {
  const to = channels(other);
  return toHex(channels(hex).map((c, i) => c + (to[i] - c) * part));
};

function luminance(hex) {
  const [r, g, b] = channels(hex).map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** The colour nearest to `hex`, moved towards `towards`, that has `least` contrast on `ground`. */
function readable(hex, ground, towards, least) {
  for (let part = 0; part <= 1; part += 0.04) {
    const tried = mix(hex, towards, part);
    if (contrast(tried, ground) >= least) return tried;
  }
  return towards;
}

/** From '#rrggbb' to the custom properties that tokens.css reads; anything else gives none. */
export function coloursOf(accent) {
  if (!/^#[0-9a-f]{6}$/i.test(accent ?? '')) return {};
  const hex = accent.toLowerCase();
  const colours = {};
  for (const [theme, ground] of Object.entries(SURFACE)) {
    const towards = theme === 'light' ? '#000000' : '#ffffff';
    const fill = readable(hex, ground, towards, 3);
    colours[`--site-fill-${theme}`] = fill;
    colours[`--site-on-${theme}`] = contrast('#ffffff', fill) >= 4.5 ? '#ffffff' : '#000000';
    colours[`--site-text-${theme}`] = readable(hex, ground, towards, 4.5);
  }
  return colours;
}

export function applyAccent(accent) {
  const colours = coloursOf(accent);
  for (const [name, value] of Object.entries(colours)) document.documentElement.style.setProperty(name, value);
  try {
    localStorage.setItem('cygnet-colours', JSON.stringify(colours));
  } catch { /* storage is switched off */ }
}
