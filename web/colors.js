// Makes the channel's colour readable: text on it, and it as text, have a contrast of at least 4.5 (WCAG AA).

const enough = 4.5;
const parse = hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
const write = rgb => '#' + rgb.map(part => Math.round(part).toString(16).padStart(2, '0')).join('');
const mix = (from, to, share) => from.map((part, i) => part + (to[i] - part) * share);

function luminance(rgb) {
  const [r, g, b] = rgb.map(part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG contrast of two colours given as [r, g, b]. */
export function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function towards(color, goal, against) {
  for (let share = 0; share < 1; share += 0.04) {
    const mixed = mix(color, goal, share);
    if (contrast(mixed, against) >= enough) return mixed;
  }
  return goal;
}

/** Sets --accent, --on-accent (text on it), --tint (a patch on it) and --accent-ink (it as text) for the page's present colour scheme. */
export function paint(hex) {
  const white = [255, 255, 255], night = [21, 27, 38];
  const color = parse(/^#[0-9a-f]{6}$/i.test(hex) ? hex : '#3b82f6');
  const isLight = contrast(color, white) < 3;
  const accent = isLight ? towards(color, white, night) : towards(color, [0, 0, 0], white);
  const style = document.documentElement.style;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    style.setProperty('--accent', write(accent));
    style.setProperty('--on-accent', isLight ? write(night) : '#ffffff');
    style.setProperty('--tint', isLight ? 'rgb(255 255 255 / 45%)' : 'rgb(0 0 0 / 18%)');
    style.setProperty('--accent-ink', write(dark.matches ? towards(color, white, night) : towards(color, [0, 0, 0], white)));
    style.setProperty('--focus', 'var(--accent-ink)');
  };
  dark.addEventListener('change', apply);
  apply();
}
