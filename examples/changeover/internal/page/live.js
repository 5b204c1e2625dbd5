// The page says what has happened; this only asks for it again when the server
// says that there is more. Nothing is sent but requests to read.
(() => {
  'use strict';
  const say = (text) => { document.getElementById('link').textContent = text; };
  const lost = () => 'The connection is lost. This is how it stood at ' + new Date().toISOString().slice(11, 19) + ' UTC.';
  let busy = false, again = false, over = false;

  const renew = async () => {
    if (busy) { again = true; return; }
    busy = true;
    do {
      again = false;
      try {
        const answer = await fetch('./', {cache: 'no-store', redirect: 'error'});
        if (!answer.ok) throw new Error(answer.statusText);
        const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const open = new Set([...document.querySelectorAll('details')].map((d) => d.open ? d.id : '!' + d.id));
        const focused = document.activeElement;
        const key = focused.id || (focused.parentElement && focused.parentElement.id) || focused.getAttribute('href');
        const next = fresh.getElementById('page');
        next.querySelectorAll('details').forEach((d) => {
          if (open.has(d.id)) d.open = true;
          if (open.has('!' + d.id)) d.open = false;
        });
        document.getElementById('page').replaceWith(next);
        document.title = fresh.title;
        document.body.dataset.version = fresh.body.dataset.version;
        if (key && focused !== document.body) {
          const there = [...next.querySelectorAll('a[href], button, summary, pre')]
            .find((e) => e.id === key || e.parentElement.id === key || e.getAttribute('href') === key);
          if (there) there.focus({preventScroll: true});
        }
        say(over ? 'The command has ended. The report can be made at any time.' : '');
      } catch (e) {
        say(over ? 'The command has ended. Its last steps may be missing here; the report has them.' : lost());
      }
    } while (again);
    busy = false;
  };

  const events = new EventSource('events?after=' + document.body.dataset.version);
  events.onmessage = renew;
  events.onerror = () => say(lost());
  events.onopen = () => say('');
  events.addEventListener('end', () => { over = true; events.close(); renew(); });

  document.addEventListener('click', async (event) => {
    const button = event.target.closest('button[data-copy]');
    if (!button) return;
    const text = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = 'Copied';
    } catch (e) {
      getSelection().selectAllChildren(text);
      button.textContent = 'Selected: copy it with the keyboard';
    }
  });
})();
