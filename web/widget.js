// The chat on another site: <script src="https://your-host/widget.js" data-channel="…" async></script>
// A button in a corner, and the chat page in a frame that is loaded when it is first wanted. Options: data-position
// ("bottom-right" | "bottom-left"), data-color ("#0f766e"), data-label (the button's name), data-open ("true").
(() => {
  const script = document.currentScript;
  const channel = script?.dataset.channel;
  if (!channel || window.AgentPlatformChat) return;
  const origin = new URL(script.src).origin;
  const waitsKey = `agentplatform.${channel}.waits`;
  const labels = { en: 'Chat with us', ru: 'Напишите нам', ar: 'تحدث معنا', fr: 'Discuter avec nous', de: 'Mit uns chatten', es: 'Chatea con nosotros', pl: 'Napisz do nas' };
  const lang = (document.documentElement.lang || navigator.language || 'en').slice(0, 2).toLowerCase();
  const label = script.dataset.label || labels[lang] || labels.en;

  // Until when an answer, or more after one, may come: the frame says so. Only until then it is loaded before somebody wants it.
  const remember = until => { try { localStorage.setItem(waitsKey, String(until)); } catch { /* storage is blocked: the frame is loaded on the first click */ } };
  const waits = () => { try { return Date.now() < Number(localStorage.getItem(waitsKey)); } catch { return false; } };
  const element = (tag, attributes, ...children) => {
    const made = document.createElementNS(tag === 'svg' || tag === 'path' ? 'http://www.w3.org/2000/svg' : 'http://www.w3.org/1999/xhtml', tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const icon = (name, d) => element('svg', { viewBox: '0 0 24 24', width: 26, height: 26, 'aria-hidden': 'true', class: name }, element('path', { d }));

  const host = element('div', { 'data-agentplatform': channel });
  const root = host.attachShadow({ mode: 'closed' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial; --accent: #3b82f6; --on: #fff; }
    button { position: fixed; inset-block-end: max(20px, env(safe-area-inset-bottom)); z-index: 2147483001; display: grid; place-items: center;
      width: 60px; height: 60px; padding: 0; border: 0; border-radius: 50%; background: var(--accent); color: var(--on); cursor: pointer;
      box-shadow: 0 6px 24px rgb(15 25 50 / 30%); transition: transform .15s; }
    button:hover { transform: scale(1.05); }
    button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    svg { fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    button .close, button[aria-expanded=true] .chat { display: none; } button[aria-expanded=true] .close { display: block; }
    .count { position: absolute; top: -4px; inset-inline-end: -4px; min-width: 22px; height: 22px; padding: 0 6px; box-sizing: border-box; border-radius: 11px;
      background: #c81e1e; color: #fff; font: 600 13px/22px system-ui, sans-serif; text-align: center; }
    .count[hidden] { display: none; }
    .panel { position: fixed; inset-block-end: 96px; z-index: 2147483000; width: 400px; height: min(680px, calc(100dvh - 120px)); border: 0; border-radius: 20px;
      overflow: hidden; background: Canvas; box-shadow: 0 16px 56px rgb(15 25 50 / 28%); color-scheme: light dark; visibility: hidden; opacity: 0; transform: translateY(12px);
      transition: opacity .16s, transform .16s, visibility 0s .16s; }
    .panel.open { visibility: visible; opacity: 1; transform: none; transition: opacity .16s, transform .16s; }
    .right { right: max(20px, env(safe-area-inset-right)); } .left { left: max(20px, env(safe-area-inset-left)); }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    @media (max-width: 520px), (max-height: 480px) { .panel { inset: 0; width: 100%; height: 100dvh; border-radius: 0; } button[aria-expanded=true] { display: none; } }
    @media (prefers-reduced-motion: reduce) { button, .panel, .panel.open { transition: none; } }`);
  root.adoptedStyleSheets = [sheet];

  const count = element('span', { class: 'count' });
  count.hidden = true;
  const button = element('button', { type: 'button', 'aria-label': label, 'aria-expanded': 'false', 'aria-controls': 'panel' },
    icon('chat', 'M21 12a8 8 0 0 1-8 8H4l2.2-2.800A8 8 0 1 1 21 12z'), icon('close', 'M6 6l12 12M18 6L6 18'), count);
  const panel = element('div', { id: 'panel', class: 'panel', role: 'dialog', 'aria-label': label });
  let frame;
  let isOpen = false;
  let isReady = false; // the page in the frame listens

  const tell = type => { if (isReady) frame.contentWindow.postMessage({ source: 'agentplatform-widget', type }, origin); };
  const load = () => {
    if (frame) return;
    frame = element('iframe', { title: label, allow: 'clipboard-write', src: `${origin}/chat/${encodeURIComponent(channel)}?lang=${lang}` });
    panel.append(frame);
  };
  const toggle = open => {
    if (isOpen === open) return;
    isOpen = open;
    if (open) load();
    panel.classList.toggle('open', open);
    button.setAttribute('aria-expanded', String(open));
    tell(open ? 'open' : 'closed');
    if (open) frame.focus(); else button.focus();
  };

  window.addEventListener('message', event => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== origin || event.data?.source !== 'agentplatform') return;
    const { type, value } = event.data;
    if (type === 'close') toggle(false);
    if (type === 'ready') { isReady = true; tell(isOpen ? 'open' : 'closed'); }
    if (type === 'waits') remember(value);
    if (type === 'unread') {
      count.hidden = !value || isOpen;
      count.textContent = value > 9 ? '9+' : String(value);
      button.setAttribute('aria-label', value ? `${label} (${value})` : label);
    }
  });
  document.addEventListener('keydown', event => { if (event.key === 'Escape' && isOpen) toggle(false); });
  button.addEventListener('click', () => toggle(!isOpen));
  button.addEventListener('pointerenter', load, { once: true });

  const place = (color, position) => {
    const side = (script.dataset.position || position) === 'bottom-left' ? 'left' : 'right';
    button.classList.add(side);
    panel.classList.add(side);
    const chosen = script.dataset.color || color;
    if (/^#[0-9a-f]{6}$/i.test(chosen)) {
      const [r, g, b] = [1, 3, 5].map(at => parseInt(chosen.slice(at, at + 2), 16));
      host.style.setProperty('--accent', chosen);
      host.style.setProperty('--on', (r * 299 + g * 587 + b * 114) / 1000 > 165 ? '#151b26' : '#fff');
    }
    root.append(panel, button);
    document.body.append(host);
    if (script.dataset.open === 'true') toggle(true);
    else if (waits()) ('requestIdleCallback' in window ? requestIdleCallback : setTimeout)(load);
  };
  const start = () => fetch(`${origin}/v1/web/${encodeURIComponent(channel)}/config`, { credentials: 'omit' })
    .then(response => response.ok ? response.json() : Promise.reject(new Error(`the chat channel answered ${response.status}`)))
    .then(config => place(config.color, config.position))
    .catch(error => console.warn('AgentPlatform chat is not shown:', error.message));

  window.AgentPlatformChat = { open: () => toggle(true), close: () => toggle(false) };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start, { once: true }); else start();
})();
