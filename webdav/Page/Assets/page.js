// The page of a directory, when there is a script: sort, filter, preview, upload, rename, delete, versions, share. Everything is WebDAV on the page's own
// address, or a POST below /_keepfs/api/. Names of files only ever become text nodes and encoded paths, never markup.
'use strict';
(() => {
  const table = document.getElementById('files');
  if (!table) return;
  const { kind, uuid, root, path, writable, user } = document.body.dataset;
  const here = location.pathname;
  const parallelUploads = 3, attempts = 4, previewBytes = 65536;
  // Files from that size on go in parts and are resumed: for up to four minutes by themselves, and for a day when they are dropped again.
  const resumableBytes = 16 << 20, partBytes = 256 << 20, resumeAttempts = 12, longestPause = 30000;
  const tools = document.getElementById('tools'), status = document.getElementById('status');
  let tbody = table.tBodies[0], sortKey = 'name', sortDown = false, statusTimer = 0;

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const button = (text, onclick, className = '') => make('button', { type: 'button', textContent: text, onclick, className });
  const linkOf = row => row.querySelector('.name a');
  const hrefOf = row => linkOf(row).getAttribute('href').slice(2);
  const nameOf = row => decodeURIComponent(hrefOf(row).replace(/\/$/, ''));
  const isDir = row => row.classList.contains('dir');
  const visible = () => [...tbody.rows].filter(row => !row.hidden);
  const chosen = () => [...tbody.rows].filter(row => row.classList.contains('chosen'));
  const bytes = n => {
    const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
    let i = 0, v = n;
    while (v >= 999.5 && i < units.length - 1) { v /= 1000; i++; }
    return i === 0 ? `${n} bytes` : `${v < 9.95 ? v.toFixed(1) : v.toFixed(0)} ${units[i]}`;
  };
  const plural = (n, one) => `${n} ${one}${n === 1 ? '' : 's'}`;

  function say(text, action, label) {
    clearTimeout(statusTimer);
    status.replaceChildren(make('span', { textContent: text }));
    if (action) status.append(button(label, () => { status.replaceChildren(); action(); }));
    statusTimer = setTimeout(() => status.replaceChildren(), action ? 20000 : 7000);
  }

  async function send(method, url, headers = {}, body) {
    const response = await fetch(url, { method, headers, body, credentials: 'same-origin', redirect: 'manual' });
    if (response.ok) return response;
    const text = (response.headers.get('Content-Type') || '').startsWith('text/plain') ? (await response.text()).trim() : '';
    throw Object.assign(new Error(text || `The server answered ${response.status}.`), { status: response.status });
  }
  const api = async (name, body) => (await send('POST', `/_keepfs/api/${name}`, { 'Content-Type': 'application/json' }, JSON.stringify(body))).json();
  const attempt = async work => { try { return await work(); } catch (e) { say(e.message); return undefined; } };

  // --- the table
  function localTimes() {
    for (const time of tbody.querySelectorAll('time')) {
      time.title = time.dateTime;
      time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
    }
  }

  function choose(row, on) {
    row.classList.toggle('chosen', on);
    const box = row.querySelector('.check input');
    if (box) box.checked = on;
    updateTools();
  }

  function addChecks() {
    if (kind === 'site') return;
    for (const row of tbody.rows) {
      const box = make('input', { type: 'checkbox', ariaLabel: `Select ${nameOf(row)}` });
      row.prepend(make('td', { className: 'check' }, box));
    }
  }

  function sort() {
    const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
    const rows = [...tbody.rows].map(row => ({
      row, dir: isDir(row), name: nameOf(row),
      size: Number(row.querySelector('[data-s]')?.dataset.s ?? -1), time: row.querySelector('time')?.dateTime ?? '',
    }));
    const by = { name: () => 0, size: (a, b) => a.size - b.size, time: (a, b) => a.time < b.time ? -1 : a.time > b.time ? 1 : 0 }[sortKey];
    rows.sort((a, b) => (b.dir - a.dir) || (sortDown ? -1 : 1) * (by(a, b) || names.compare(a.name, b.name)));
    tbody.append(...rows.map(entry => entry.row));
    for (const head of table.tHead.querySelectorAll('[data-key]')) {
      if (head.dataset.key === sortKey) head.setAttribute('aria-sort', sortDown ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
  }

  function applyFilter() {
    const wanted = filter.value.trim().toLowerCase();
    let shown = 0;
    for (const row of tbody.rows) {
      row.hidden = wanted !== '' && !nameOf(row).toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    if (wanted) say(`${shown} of ${tbody.rows.length} shown`);
  }

  async function reload(focusName) {
    const page = new DOMParser().parseFromString(await (await send('GET', location.href, { 'Cache-Control': 'no-cache' })).text(), 'text/html');
    const fresh = page.getElementById('files')?.tBodies[0];
    if (!fresh) { location.reload(); return; }
    tbody.replaceWith(document.adoptNode(fresh));
    tbody = fresh;
    document.getElementById('empty')?.remove();
    if (tbody.rows.length === 0) table.after(make('p', { id: 'empty', textContent: 'This directory is empty.' }));
    prepare();
    if (filter.value) applyFilter();
    [...tbody.rows].filter(row => nameOf(row) === focusName).forEach(row => linkOf(row).focus());
  }

  function prepare() { localTimes(); addChecks(); sort(); updateTools(); }

  // --- dialogs
  function open(title, wide, ...content) {
    const before = document.activeElement;
    const dialog = make('dialog', { className: wide ? 'wide' : '' }, make('h2', { id: 'dialog-title', textContent: title }), ...content);
    dialog.setAttribute('aria-labelledby', 'dialog-title');
    dialog.addEventListener('close', () => { dialog.remove(); if (before?.isConnected) before.focus(); });
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
  }

  const ends = (...buttons) => make('div', { className: 'ends' }, ...buttons);

  /** Asks for a name; resolves to null when the person changes their mind. */
  const ask = (title, label, value, okText) => new Promise(resolve => {
    const input = make('input', { id: 'answer', value, required: true, maxLength: 255, autocomplete: 'off' });
    let answer = null;
    const form = make('form', { method: 'dialog' }, make('label', { htmlFor: 'answer', textContent: label }), input,
      ends(button('Cancel', () => dialog.close()), make('button', { className: 'primary', textContent: okText })));
    form.addEventListener('submit', () => { answer = input.value; });
    const dialog = open(title, false, form);
    dialog.addEventListener('close', () => resolve(answer));
    const dot = value.lastIndexOf('.');
    input.setSelectionRange(0, dot > 0 ? dot : value.length);
  });

  const confirm = (title, text, okText) => new Promise(resolve => {
    let yes = false;
    const dialog = open(title, false, make('p', { textContent: text }), ends(button('Cancel', () => dialog.close()), button(okText, () => { yes = true; dialog.close(); }, 'primary')));
    dialog.addEventListener('close', () => resolve(yes));
  });

  // --- preview
  const kinds = {
    image: 'png jpg jpeg gif webp avif svg bmp ico', video: 'mp4 webm ogv m4v mov', audio: 'mp3 wav ogg oga flac m4a', pdf: 'pdf',
    text: 'txt md csv tsv json jsonl xml html htm xhtml js mjs ts css py r sh bash c h cc cpp cs java go rs rb pl sql log yaml yml toml ini cfg conf fasta fa fastq fq vcf sam bed gff gtf cwl tex bib diff patch',
  };
  function kindOf(name) {
    const extension = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : '';
    return Object.keys(kinds).find(each => kinds[each].split(' ').includes(extension));
  }

  async function preview(row) {
    const name = nameOf(row), url = new URL(linkOf(row).href).href, what = kindOf(name);
    const view = make('div', { className: 'view' });
    const files = visible().filter(each => !isDir(each) && kindOf(nameOf(each)));
    const step = by => { const next = files[files.indexOf(row) + by]; if (next) { dialog.close(); linkOf(next).focus(); preview(next); } };
    const dialog = open(name, true, view, ends(
      button('Previous', () => step(-1)), button('Next', () => step(1)), make('a', { className: 'button', href: url, download: name, textContent: 'Download' }), button('Close', () => dialog.close(), 'primary')));
    dialog.addEventListener('keydown', e => { if (e.target.tagName !== 'VIDEO' && e.key === 'ArrowLeft') step(-1); else if (e.target.tagName !== 'VIDEO' && e.key === 'ArrowRight') step(1); });
    const failed = () => view.replaceChildren(make('p', { className: 'problem', textContent: 'This file cannot be shown.' }));
    if (what === 'image') view.append(make('img', { src: url, alt: name, onerror: failed }));
    else if (what === 'video' || what === 'audio') view.append(make(what, { src: url, controls: true, onerror: failed, preload: 'metadata' }));
    else if (what === 'pdf') view.append(make('iframe', { src: url, title: name }));
    else {
      try {
        const size = Number(row.querySelector('[data-s]')?.dataset.s ?? 0);
        const response = await send('GET', url, size > 0 ? { Range: `bytes=0-${previewBytes - 1}` } : {});
        const text = new TextDecoder().decode(await response.arrayBuffer());
        view.append(make('pre', { textContent: text, tabIndex: 0 }));
        if (size > previewBytes) view.append(make('p', { textContent: `The first ${bytes(previewBytes)} of ${bytes(size)}.` }));
      } catch { failed(); }
    }
  }

  // --- changes
  async function makeFolder(type) {
    const noun = type ?? (kind === 'project' ? 'collection' : 'folder');
    const name = await ask(`New ${noun}`, 'Name', '', 'Create');
    if (!name) return;
    await attempt(async () => {
      try { await send('MKCOL', here + encodeURIComponent(name), type === 'project' ? { 'X-KeepFs-Create': 'project' } : {}); }
      catch (e) { throw e.status === 405 ? new Error(`There is something called ${name} already.`) : e; }
      await reload(name);
      say(`Created ${name}.`);
    });
  }

  async function rename(row) {
    const old = nameOf(row), name = await ask('Rename', 'New name', old, 'Rename');
    if (!name || name === old) return;
    if (name.includes('/')) { say('A name cannot contain a slash.'); return; }
    await attempt(async () => {
      try { await send('MOVE', linkOf(row).href, { Destination: location.origin + here + encodeURIComponent(name), Overwrite: 'F' }); }
      catch (e) { throw e.status === 412 ? new Error(`There is something called ${name} already.`) : e; }
      await reload(name);
      say(`Renamed ${old} to ${name}.`);
    });
  }

  async function remove(rows) {
    if (rows.length === 0) return;
    const what = rows.length === 1 ? nameOf(rows[0]) : plural(rows.length, 'entry').replace('entrys', 'entries');
    const gone = rows.map(row => ({ name: hrefOf(row).replace(/\/$/, ''), uuid: row.dataset.u }));
    await attempt(async () => {
      let kept = kind === 'project';
      if (kind === 'collection') {
        kept = await api('keep', { uuid }).then(() => true, () => false);
        if (!kept && !await confirm('Delete', `${what} cannot be restored afterwards.`, 'Delete for good')) return;
      }
      try { for (const row of rows) await send('DELETE', linkOf(row).href); } finally { await reload(); }
      if (kept) say(kind === 'project' ? `Moved ${what} to the trash.` : `Deleted ${what}; the version before has it still.`, () => undo(gone), 'Undo');
      else say(`Deleted ${what}.`);
    });
  }

  const undo = gone => attempt(async () => {
    if (kind === 'project') for (const entry of gone) await api('untrash', { uuid: entry.uuid });
    else {
      const old = (await api('versions', { uuid })).filter(version => !version.current).slice(0, 5);
      const below = path ? path.split('/').map(encodeURIComponent).join('/') + '/' : '';
      for (const entry of gone) {
        let error = new Error('No version has it.');
        for (const version of old) {
          try { await send('COPY', `/by_id/${version.uuid}/${below}${entry.name}`, { Destination: location.origin + root + below + entry.name, Overwrite: 'F' }); error = null; break; }
          catch (e) { if (e.status !== 404) throw e; }
        }
        if (error) throw error;
      }
    }
    await reload();
    say(gone.length === 1 ? `Restored ${decodeURIComponent(gone[0].name)}.` : `Restored ${plural(gone.length, 'entry').replace('entrys', 'entries')}.`);
  });

  async function versions() {
    const list = await attempt(() => api('versions', { uuid }));
    if (!list) return;
    const rows = list.map(version => {
      const actions = make('td', {}, make('a', { href: `/by_id/${version.uuid}/`, textContent: 'Open' }));
      if (!version.current && user) {
        actions.append(' ', button('Restore', () => attempt(async () => {
          await api('restore', { uuid, version: version.uuid });
          dialog.close();
          await reload();
          say(`Version ${version.version} is the content again; what was there is kept as a version.`);
        })));
      }
      return make('tr', {}, make('td', { textContent: String(version.version) + (version.current ? ' (now)' : '') }), make('td', { textContent: new Date(version.modified_at).toLocaleString() }), actions);
    });
    const head = make('thead', {}, make('tr', {}, ...['Version', 'Changed', 'Action'].map(text => make('th', { scope: 'col', textContent: text }))));
    const dialog = open('Versions', false, make('table', {}, head, make('tbody', {}, ...rows)),
      ...(list.length < 2 ? [make('p', { textContent: 'There are no older versions yet.' })] : []), ends(button('Close', () => dialog.close(), 'primary')));
  }

  function share() {
    const hours = make('select', { id: 'hours' }, ...[[24, '1 day'], [168, '1 week'], [720, '30 days'], [8760, '1 year']].map(([value, text]) => make('option', { value: String(value), textContent: text })));
    hours.value = '168';
    const result = make('div');
    const dialog = open('Share this collection', false,
      make('p', { textContent: 'Whoever has the link can read the whole collection, and nothing else, until it expires.' }),
      make('label', { htmlFor: 'hours', textContent: 'Expires after' }), hours, result,
      ends(button('Close', () => dialog.close()), button('Make a link', () => attempt(async () => {
        const made = await api('share', { uuid, hours: Number(hours.value) });
        const link = make('input', { id: 'link', readOnly: true, value: location.origin + made.path });
        result.replaceChildren(make('label', { htmlFor: 'link', textContent: `Link, valid until ${new Date(made.expires_at).toLocaleString()}` }), link);
        link.select();
        if (navigator.clipboard) await navigator.clipboard.writeText(link.value).then(() => say('The link is in the clipboard.'), () => {});
      }), 'primary')));
  }

  // --- upload
  const folders = new Map();
  function folder(parts) {
    if (parts.length === 0) return Promise.resolve();
    const key = parts.join('/');
    if (!folders.has(key)) {
      folders.set(key, folder(parts.slice(0, -1)).then(() => send('MKCOL', here + parts.map(encodeURIComponent).join('/'))).catch(e => {
        if (e.status !== 405) { folders.delete(key); throw e; }
      }));
    }
    return folders.get(key);
  }

  const wait = milliseconds => new Promise(resolve => { setTimeout(resolve, milliseconds); });

  function put(url, body, replace, onprogress, stop, headers = {}) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('PUT', url);
      if (!replace) request.setRequestHeader('If-None-Match', '*');
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = e => onprogress(e.loaded);
      request.onload = () => request.status < 300 ? resolve(request) : reject(Object.assign(new Error(request.responseText.trim().slice(0, 300)), { status: request.status }));
      request.onerror = () => reject(Object.assign(new Error('The connection broke.'), { status: 0 }));
      request.onabort = () => reject(Object.assign(new Error('Cancelled.'), { status: -1 }));
      stop.addEventListener('abort', () => request.abort(), { once: true });
      request.send(body);
    });
  }

  const mayRetry = status => status === 0 || status === 429 || (status >= 500 && status !== 507);

  /** What arrived before the connection broke is not sent again: the server is asked how much that is, and the rest follows. */
  async function putInParts(url, file, replace, onprogress, stop) {
    const id = `${file.lastModified}-${file.size}`;
    for (let offset = -1, most = -1, failures = 0; ;) {
      const end = Math.min(offset + partBytes, file.size), asks = offset < 0;
      try {
        const answer = await put(url, asks ? null : file.slice(offset, end), replace, loaded => onprogress(Math.max(offset, 0) + loaded), stop,
          { 'X-KeepFs-Upload': id, 'Content-Range': asks ? `bytes */${file.size}` : `bytes ${offset}-${end - 1}/${file.size}` });
        if (answer.status !== 202) return;
        offset = Number(answer.getResponseHeader('Upload-Offset'));
        if (offset > most) { most = offset; failures = 0; }
        onprogress(offset);
      } catch (e) {
        if (++failures >= resumeAttempts || !(mayRetry(e.status) || (e.status === 409 && !asks))) throw e;
        offset = -1;
        await wait(Math.min(longestPause, 500 * 2 ** failures));
        if (stop.aborted) throw e;
      }
    }
  }

  async function uploadOne(item, replace, onprogress, stop) {
    const parts = item.path.split('/'), url = here + parts.map(encodeURIComponent).join('/');
    await folder(parts.slice(0, -1));
    if (!replace && item.file.size > 1 << 20 && await send('HEAD', url).then(() => true, () => false)) throw Object.assign(new Error('It exists.'), { status: 412 });
    if (item.file.size >= resumableBytes) { await putInParts(url, item.file, replace, onprogress, stop); return; }
    for (let i = 1; ; i++) {
      try { await put(url, item.file, replace || i > 1, onprogress, stop); return; }
      catch (e) {
        if (i >= attempts || !mayRetry(e.status)) throw e;
        await wait(1000 * 2 ** (i - 1));
      }
    }
  }

  /** Files with their path below this directory, three at once. */
  async function upload(items, replace = false) {
    if (items.length === 0) return;
    if (kind !== 'collection') { say('Files live in collections: open or create one first.'); return; }
    folders.clear();
    const total = items.reduce((sum, item) => sum + item.file.size, 0), sent = items.map(() => 0), stop = new AbortController();
    let done = 0;
    const text = make('span'), bar = make('progress', { max: Math.max(total, 1), value: 0, ariaLabel: 'Upload' });
    const panel = make('div', { id: 'uploads' }, text, button('Cancel', () => stop.abort()), bar);
    tools.after(panel);
    const show = () => { const sum = sent.reduce((a, b) => a + b, 0); bar.value = sum; text.textContent = `Uploading: ${done} of ${plural(items.length, 'file')}, ${bytes(Math.min(sum, total))} of ${bytes(total)}`; };
    show();
    const queue = items.keys(), taken = [], failed = [];
    const worker = async () => {
      for (const i of queue) {
        if (stop.signal.aborted) return;
        try { await uploadOne(items[i], replace, loaded => { sent[i] = loaded; show(); }, stop.signal); done++; }
        catch (e) { if (e.status === 412) taken.push(items[i]); else failed.push(`${items[i].path}: ${e.message}`); }
        sent[i] = items[i].file.size;
        show();
      }
    };
    window.addEventListener('beforeunload', stay);
    await Promise.all(Array.from({ length: parallelUploads }, worker));
    window.removeEventListener('beforeunload', stay);
    panel.remove();
    await attempt(() => reload());
    say(stop.signal.aborted ? `Cancelled; ${plural(done, 'file')} uploaded.` : failed.length ? `${plural(failed.length, 'file')} failed. ${failed[0]}` : `${plural(done, 'file')} uploaded.`);
    if (taken.length && await confirm('Replace files?', `${taken.length === 1 ? taken[0].path + ' exists' : plural(taken.length, 'file') + ' exist'} already. What is there now is kept as a version.`, 'Replace')) {
      await api('keep', { uuid }).catch(() => {});
      await upload(taken, true);
    }
  }
  const stay = e => e.preventDefault();

  async function dropped(entries) {
    const items = [];
    const walk = async (entry, prefix) => {
      if (entry.isFile) items.push({ path: prefix + entry.name, file: await new Promise((resolve, reject) => { entry.file(resolve, reject); }) });
      else {
        const reader = entry.createReader();
        for (let some; (some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); })).length > 0;) for (const each of some) await walk(each, `${prefix}${entry.name}/`);
      }
    };
    for (const entry of entries) if (entry instanceof File) items.push({ path: entry.name, file: entry }); else await walk(entry, '');
    await upload(items);
  }

  function pick(isFolder) {
    const input = make('input', { type: 'file', multiple: true, webkitdirectory: isFolder });
    input.onchange = () => upload([...input.files].map(file => ({ path: file.webkitRelativePath || file.name, file })));
    input.click();
  }

  // --- tools and keys
  const filter = make('input', { id: 'filter', type: 'search', placeholder: 'Filter  ( / )', ariaLabel: 'Filter by name', oninput: applyFilter });
  const zip = document.getElementById('zip'), wholeZip = zip?.getAttribute('href');
  const renameButton = button('Rename', () => rename(chosen()[0])), deleteButton = button('Delete', () => remove(chosen()));
  function updateTools() {
    const rows = chosen();
    renameButton.disabled = rows.length !== 1;
    deleteButton.disabled = rows.length === 0;
    if (zip) {
      const wanted = rows.length ? '?accept=application/zip&disposition=attachment' + rows.map(row => '&files=' + encodeURIComponent((path ? path + '/' : '') + nameOf(row))).join('') : null;
      zip.setAttribute('href', wanted ? root + wanted : wholeZip);
      zip.textContent = rows.length ? `Download ${rows.length} as ZIP` : 'Download ZIP';
    }
  }

  tools.prepend(filter);
  if (writable && kind === 'collection') tools.append(button('Upload', () => pick(false), 'primary'), button('Upload folder', () => pick(true)), button('New folder', () => makeFolder()));
  if (writable && kind === 'project') tools.append(button('New collection', () => makeFolder('collection'), 'primary'), button('New project', () => makeFolder('project')));
  if (writable) tools.append(renameButton, deleteButton);
  if (kind === 'collection' && uuid && user) tools.append(button('Versions', versions), button('Share', share));
  if (kind !== 'site') {
    const all = make('input', { type: 'checkbox', ariaLabel: 'Select all', onchange: () => { for (const row of visible()) choose(row, all.checked); } });
    table.tHead.rows[0].prepend(make('td', { className: 'check' }, all));
  }
  for (const head of table.tHead.querySelectorAll('[data-key]')) {
    const key = head.dataset.key, text = head.textContent;
    head.replaceChildren(button(text, () => { sortDown = sortKey === key && !sortDown; sortKey = key; sort(); say(`Sorted by ${text.toLowerCase()}`); }, 'plain'));
  }

  table.addEventListener('change', e => { const row = e.target.closest('tbody tr'); if (row) choose(row, e.target.checked); });
  table.addEventListener('click', e => {
    const link = e.target.closest('.name a');
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || e.button !== 0) return;
    const row = link.closest('tr');
    if (!isDir(row) && kindOf(nameOf(row))) { e.preventDefault(); preview(row); }
  });

  document.addEventListener('keydown', e => {
    if (document.querySelector('dialog[open]') || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target === filter) {
      if (e.key === 'Escape') { filter.value = ''; applyFilter(); filter.blur(); }
      if (e.key !== 'ArrowDown') return;
    } else if (/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) && e.target.type !== 'checkbox') return;
    const rows = visible(), row = document.activeElement?.closest?.('tbody tr'), at = rows.indexOf(row);
    const go = to => { const next = rows[Math.max(0, Math.min(rows.length - 1, to))]; if (next) { linkOf(next).focus(); e.preventDefault(); } };
    switch (e.key) {
      case '/': filter.focus(); e.preventDefault(); break;
      case 'ArrowDown': go(at + 1); break;
      case 'ArrowUp': go(at < 0 ? rows.length - 1 : at - 1); break;
      case 'Home': if (row) go(0); break;
      case 'End': if (row) go(rows.length - 1); break;
      case 'Escape': for (const each of chosen()) choose(each, false); break;
      case 'Delete': if (writable) remove(chosen().length ? chosen() : row ? [row] : []); break;
      case 'F2': if (writable && row) { e.preventDefault(); rename(row); } break;
    }
  });

  if (writable) {
    let depth = 0;
    const overlay = make('div', { id: 'drop', hidden: true, textContent: 'Drop files to upload them here' });
    document.body.append(overlay);
    const hasFiles = e => [...(e.dataTransfer?.types ?? [])].includes('Files');
    document.addEventListener('dragenter', e => { if (hasFiles(e)) { depth++; overlay.hidden = false; } });
    document.addEventListener('dragleave', e => { if (hasFiles(e) && --depth <= 0) { depth = 0; overlay.hidden = true; } });
    document.addEventListener('dragover', e => { if (hasFiles(e)) e.preventDefault(); });
    document.addEventListener('drop', e => {
      if (!hasFiles(e)) return;
      e.preventDefault();
      depth = 0;
      overlay.hidden = true;
      dropped([...e.dataTransfer.items].filter(item => item.kind === 'file').map(item => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean));
    });
  }

  prepare();
})();
