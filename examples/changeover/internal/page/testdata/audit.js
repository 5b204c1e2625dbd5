// What a careful person would find wrong with the page as it is laid out now,
// one sentence each. An expression, evaluated in the page.
(() => {
  const wrong = [];
  const name = (e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + (e.getAttribute('class') ? '.' + e.getAttribute('class') : '');
  const shown = (e) => e.checkVisibility({contentVisibilityAuto: true, opacityProperty: true, visibilityProperty: true}) && !e.closest('.hidden, .skip, title');

  // Nothing is wider than the window.
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > wide) wrong.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${wide}`);
  for (const e of document.querySelectorAll('body *')) {
    if (!shown(e)) continue;
    const r = e.getBoundingClientRect();
    if (r.width > 0 && (r.right > wide + 1 || r.left < -1)) wrong.push(`${name(e)} reaches from ${r.left} to ${r.right}`);
    if (e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1 && !e.closest('svg') && getComputedStyle(e).textOverflow !== 'ellipsis' && getComputedStyle(e).display !== 'inline')
      wrong.push(`${name(e)} holds ${e.scrollWidth} in ${e.clientWidth}`);
  }

  // No text lies over other text. Letters in signs stand where the run put them.
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  for (let n; (n = walker.nextNode());) {
    if (!n.data.trim() || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(n.parentElement.tagName) || !shown(n.parentElement)) continue;
    texts.push(n);
    if (n.parentElement.closest('.sign')) continue;
    const range = document.createRange();
    range.selectNodeContents(n);
    const rects = n.parentElement.closest('svg') ? [n.parentElement.getBoundingClientRect()] : [...range.getClientRects()];
    for (const r of rects) if (r.width > 1 && r.height > 1) boxes.push({r, n});
  }
  const slack = (b) => b.n.parentElement.closest('svg') ? b.r.height * 0.2 : 3; // room above and below letters
  boxes.sort((a, b) => a.r.top - b.r.top);
  // What stays in sight while the rest is scrolled lies over it.
  const sticky = (n) => n.parentElement.closest('nav, #link');
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length && boxes[j].r.top < boxes[i].r.bottom; j++) {
      const a = boxes[i], b = boxes[j];
      if (a.n === b.n || sticky(a.n) !== sticky(b.n)) continue;
      const x = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left);
      const y = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
      if (x > 2 && y > Math.max(slack(a), slack(b))) wrong.push(`"${a.n.data.trim()}" and "${b.n.data.trim()}" overlap by ${x} x ${y}`);
    }
  }
  // The name of a state is inside its box.
  for (const g of document.querySelectorAll('.state')) {
    if (!shown(g)) continue;
    const out = g.querySelector('rect').getBoundingClientRect();
    for (const t of g.querySelectorAll(':scope > text')) {
      const r = t.getBoundingClientRect();
      if (r.left < out.left || r.right > out.right) wrong.push(`"${t.textContent}" is wider than its box`);
    }
  }

  // Text can be told from its ground, WCAG AA.
  const parse = (c) => {
    const m = c.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/);
    return m ? {rgb: [m[1], m[2], m[3]].map(Number), a: m[4] === undefined ? 1 : Number(m[4])} : null;
  };
  const light = ({rgb}) => {
    const [r, g, b] = rgb.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      if (at.closest('svg')) {
        for (let s = at.previousElementSibling; s; s = s.previousElementSibling) {
          if (!['rect', 'circle', 'path'].includes(s.tagName)) continue;
          const c = parse(getComputedStyle(s).fill);
          if (c && c.a === 1 && getComputedStyle(s).display !== 'none') return c;
        }
        continue;
      }
      const c = parse(getComputedStyle(at).backgroundColor);
      if (c && c.a === 1) return c;
    }
    return {rgb: [255, 255, 255], a: 1};
  };
  const seen = new Set();
  for (const n of texts) {
    const e = n.parentElement, style = getComputedStyle(e);
    const color = parse(e.closest('svg') ? style.fill : style.color), back = ground(e);
    if (!color) { wrong.push(`${name(e)} has a color that cannot be read: ${style.color}`); continue; }
    const [hi, lo] = [light(color), light(back)].sort((a, b) => b - a);
    const ratio = (hi + 0.05) / (lo + 0.05);
    const key = name(e) + color.rgb + back.rgb;
    if (ratio < 4.5 && !seen.has(key)) { seen.add(key); wrong.push(`"${n.data.trim().slice(0, 30)}" in ${name(e)}: contrast ${ratio.toFixed(2)} of ${color.rgb} on ${back.rgb}`); }
  }

  // Headings go down one level at a time, and there is one of the first.
  let level = 0;
  for (const h of document.querySelectorAll('h1, h2, h3, h4')) {
    const n = Number(h.tagName[1]);
    if (n > level + 1) wrong.push(`heading "${h.textContent}" jumps from ${level} to ${n}`);
    level = n;
  }
  if (document.querySelectorAll('h1').length !== 1) wrong.push('there is not exactly one h1');
  if (!document.documentElement.lang) wrong.push('no language');
  for (const tag of ['header', 'nav', 'main']) if (document.querySelectorAll(tag).length !== 1) wrong.push(`not exactly one ${tag}`);

  // Names and references are whole.
  const ids = new Set();
  for (const e of document.querySelectorAll('[id]')) { if (ids.has(e.id)) wrong.push(`id ${e.id} twice`); ids.add(e.id); }
  for (const a of document.querySelectorAll('a[href^="#"]')) if (!ids.has(a.getAttribute('href').slice(1))) wrong.push(`link to ${a.getAttribute('href')} leads nowhere`);
  for (const e of document.querySelectorAll('[aria-labelledby]')) if (!ids.has(e.getAttribute('aria-labelledby'))) wrong.push(`${name(e)} is labelled by nothing`);
  for (const e of document.querySelectorAll('svg[role=img]')) if (!e.getAttribute('aria-label')) wrong.push(`${name(e)} has no words`);
  for (const e of document.querySelectorAll('*')) for (const a of e.attributes) if (a.name.startsWith('on') || a.name === 'style') wrong.push(`${name(e)} has ${a.name}`);
  return wrong;
})()
