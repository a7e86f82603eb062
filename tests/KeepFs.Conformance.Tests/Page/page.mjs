// Drives the page of keep-web in a real Chromium. Arguments: address, token, UUID of a collection, folder for screenshots, folder of playwright-core.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const [base, token, uuid, shots, modules] = process.argv.slice(2);
const { chromium } = createRequire(modules + '/x.js')('playwright-core');
const home = `${base}c=${uuid}/`;
const bearer = { Authorization: `Bearer ${token}` };
const wicked = ['<img src=x onerror=globalThis.hacked=1>', '"quotes" \'single\' & more', 'javascript:globalThis.hacked=1', '50% #1 ?.txt'];
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const evil = `<!DOCTYPE html><title>evil</title><body><script>document.title='ran: '+document.cookie;fetch('/_keepfs/api/share',{method:'POST',body:'{}'})</script>`;

async function put(name, body, type) {
  const answer = await fetch(home + name.split('/').map(encodeURIComponent).join('/'), { method: type ?? 'PUT', headers: bearer, body });
  assert(answer.ok, `${name}: ${answer.status}`);
}
const content = async name => { const answer = await fetch(home + encodeURIComponent(name), { headers: bearer }); return answer.ok ? answer.text() : answer.status; };

for (const name of wicked) await put(name, 'x');
await put('picture.png', png);
await put('notes.txt', 'line\n'.repeat(20000));
await put('evil.html', evil);
await put('small.csv', 'a,b\n1,2\n');
await put('sub', undefined, 'MKCOL');
await put('sub/inner.txt', 'inner');

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
try {
  const context = await browser.newContext({ viewport: { width: 1100, height: 760 }, acceptDownloads: true });
  context.setDefaultTimeout(10000);
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', e => problems.push(e.message));
  page.on('console', m => { if (m.type() === 'error' && !/status of (403|404|412)|ERR_CONNECTION_RESET/.test(m.text())) problems.push(m.text()); });
  const row = name => page.locator('#files tbody tr').filter({ has: page.locator('.name a').and(page.getByText(name, { exact: true })) });
  const says = text => page.locator('#status').getByText(text).waitFor();

  // Log in.
  await page.goto(home);
  assert.match(page.url(), /_keepfs\/login/);
  await page.screenshot({ path: `${shots}/login.png` });
  await page.getByLabel('Token').fill('wrong');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await row('picture.png').waitFor();
  assert.equal(page.url(), home);
  for (const name of wicked) assert.equal(await row(name).count(), 1, name);
  assert.equal(await page.evaluate(() => document.cookie), '', 'scripts must not see the cookie');

  // How it looks.
  const narrow = async name => {
    await page.screenshot({ path: `${shots}/${name}.png` });
    assert(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${name} scrolls sideways`);
  };
  await narrow('light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await narrow('dark');
  await page.setViewportSize({ width: 400, height: 760 });
  await narrow('narrow-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await narrow('narrow');
  await page.setViewportSize({ width: 1100, height: 760 });

  // Sort, filter, keys.
  await page.getByRole('button', { name: /^Size/ }).click();
  await page.getByRole('button', { name: /^Size/ }).click();
  assert.equal(await page.locator('#files tbody tr:not(.dir) .name a').first().textContent(), 'notes.txt');
  assert.equal(await page.locator('th[aria-sort=descending]').count(), 1);
  await page.getByRole('button', { name: /^Name/ }).click();
  await page.keyboard.press('/');
  await page.keyboard.type('PICT');
  assert.equal(await page.locator('#files tbody tr:visible').count(), 1);
  await page.keyboard.press('ArrowDown');

  // Preview by keyboard: a picture, a text cut off, markup as text.
  await page.keyboard.press('Enter');
  await page.locator('dialog img').waitFor();
  await page.waitForFunction(() => document.querySelector('dialog img').naturalWidth === 1);
  await page.screenshot({ path: `${shots}/preview.png` });
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'picture.png', 'the focus returns');
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  await row('notes.txt').locator('a').click();
  await page.locator('dialog pre').waitFor();
  assert.equal((await page.locator('dialog pre').textContent()).length, 65536);
  await page.keyboard.press('Escape');
  await row('evil.html').locator('a').click();
  await page.locator('dialog pre').getByText('ran: ').waitFor();
  await page.keyboard.press('Escape');

  // Upload: by drag and drop, then by button with a folder's worth; a file that exists is asked about.
  const drop = async files => {
    const transfer = await page.evaluateHandle(files => {
      const data = new DataTransfer();
      for (const [name, text] of files) data.items.add(new File([text], name));
      return data;
    }, files);
    for (const type of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('#files', type, { dataTransfer: transfer });
  };
  await drop([['dropped.txt', 'from a drop'], ['<b>dropped.txt', 'bold']]);
  await row('dropped.txt').waitFor();
  assert.equal(await content('dropped.txt'), 'from a drop');
  assert.equal(await content('<b>dropped.txt'), 'bold');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Upload', exact: true }).click()]);
  await chooser.setFiles([...Array(7).keys()].map(i => ({ name: `many ${i}.bin`, mimeType: 'application/octet-stream', buffer: Buffer.alloc(300000, i) })));
  await says('7 files uploaded');
  assert.equal((await content('many 6.bin')).length, 300000);
  await drop([['dropped.txt', 'replaced']]);
  await page.getByRole('button', { name: 'Replace' }).click();
  await says('1 file uploaded');
  assert.equal(await content('dropped.txt'), 'replaced');

  // A large file goes on where it stopped: its first part breaks off, the second try begins where the server says.
  const large = Buffer.alloc(20 << 20, 'large ');
  const asked = [];
  await page.route('**/large.bin', async route => {
    const range = await route.request().headerValue('content-range');
    if (route.request().method() !== 'PUT') { await route.continue(); return; }
    asked.push(range);
    if (asked.length === 2) {
      // What the server got before the connection broke.
      const response = await fetch(route.request().url(), {
        method: 'PUT', body: large.subarray(0, 5000000),
        headers: { Authorization: `Bearer ${token}`, 'X-KeepFs-Upload': await route.request().headerValue('x-keepfs-upload'), 'Content-Range': `bytes 0-4999999/${large.length}` },
      });
      assert.equal(response.status, 202);
      await route.abort('connectionreset');
      return;
    }
    await route.continue();
  });
  const [largeChooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Upload', exact: true }).click()]);
  await largeChooser.setFiles([{ name: 'large.bin', mimeType: 'application/octet-stream', buffer: large }]);
  await row('large.bin').waitFor({ timeout: 60000 });
  await page.unroute('**/large.bin');
  assert.deepEqual(asked, [`bytes */${large.length}`, `bytes 0-${large.length - 1}/${large.length}`, `bytes */${large.length}`, `bytes 5000000-${large.length - 1}/${large.length}`]);
  assert.equal(await content('large.bin'), large.toString());

  // New folder, rename, and a name that is taken.
  await page.getByRole('button', { name: 'New folder' }).click();
  await page.getByLabel('Name', { exact: true }).fill('made & <new>');
  await page.keyboard.press('Enter');
  await row('made & <new>/').waitFor();
  await row('dropped.txt').getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Rename' }).click();
  await page.screenshot({ path: `${shots}/rename.png` });
  await page.getByLabel('New name').fill('picture.png');
  await page.keyboard.press('Enter');
  await says('something called picture.png already');
  await page.getByRole('button', { name: 'Rename' }).click();
  await page.getByLabel('New name').fill('renamed "1" 100%.txt');
  await page.keyboard.press('Enter');
  await row('renamed "1" 100%.txt').waitFor();
  assert.equal(await content('renamed "1" 100%.txt'), 'replaced');

  // Delete by key, undo; delete a directory's file, restore a version.
  await row('renamed "1" 100%.txt').locator('a').focus();
  await page.keyboard.press('Delete');
  await says('Deleted renamed');
  assert.equal(await content('renamed "1" 100%.txt'), 404);
  await page.getByRole('button', { name: 'Undo' }).click();
  await row('renamed "1" 100%.txt').waitFor();
  assert.equal(await content('renamed "1" 100%.txt'), 'replaced');
  await row('small.csv').getByRole('checkbox').check();
  await row('sub/').getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Delete' }).click();
  await says('Deleted 2 entries');
  await page.getByRole('button', { name: 'Versions' }).click();
  await page.locator('dialog table').waitFor();
  await page.screenshot({ path: `${shots}/versions.png` });
  await page.getByRole('button', { name: 'Restore' }).first().click();
  await row('small.csv').waitFor();
  assert.equal(await content('small.csv'), 'a,b\n1,2\n');

  // ZIP of everything, through a subdirectory and of what is chosen.
  const download = async () => {
    const [got] = await Promise.all([page.waitForEvent('download'), page.locator('#zip').click()]);
    const parts = [];
    for await (const part of await got.createReadStream()) parts.push(part);
    return [got.suggestedFilename(), Buffer.concat(parts)];
  };
  const [name, whole] = await download();
  assert.match(name, /\.zip$/);
  assert(whole.includes('sub/inner.txt') && whole.includes('picture.png'));
  await row('sub/').locator('a').click();
  await row('inner.txt').waitFor();
  const [, part] = await download();
  assert(part.includes('sub/inner.txt') && !part.includes('picture.png'));
  await page.goBack();
  await row('picture.png').getByRole('checkbox').check();
  const [, one] = await download();
  assert(one.includes('picture.png') && !one.includes('inner.txt'));

  // A sharing link in another browser, which has no token.
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('button', { name: 'Make a link' }).click();
  const link = await page.locator('#link').inputValue();
  await page.screenshot({ path: `${shots}/share.png` });
  await page.keyboard.press('Escape');
  const stranger = await browser.newContext();
  const guest = await stranger.newPage();
  assert.equal((await guest.goto(link)).status(), 200);
  await guest.getByText('picture.png', { exact: true }).waitFor();
  assert.equal(await guest.getByRole('button', { name: 'Delete' }).count(), 0);
  await guest.getByText('small.csv', { exact: true }).click();
  await guest.locator('dialog pre').getByText('a,b').waitFor();
  await guest.screenshot({ path: `${shots}/shared.png` });
  assert.match((await guest.goto(home), guest.url()), /_keepfs\/login/);

  // Without a script the page can still be read.
  const old = await browser.newContext({ javaScriptEnabled: false });
  const plain = await old.newPage();
  await plain.goto(link);
  assert.equal(await plain.locator('tbody tr').filter({ hasText: 'picture.png' }).count(), 1);
  await plain.screenshot({ path: `${shots}/no-script.png` });

  // An uploaded page runs nothing and reaches nothing, opened with the token's cookie.
  assert.deepEqual(problems, []);
  await page.goto(home + 'evil.html');
  assert.equal(await page.title(), 'evil');
  assert.equal(await page.evaluate(() => globalThis.origin), 'null');
  await page.goto(home);
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);

  // A project: a collection is made, trashed and taken back.
  await page.goto(`${base}home/`);
  await page.getByRole('button', { name: 'New collection' }).click();
  const collection = `page ${Date.now()}`;
  await page.getByLabel('Name', { exact: true }).fill(collection);
  await page.keyboard.press('Enter');
  await row(collection + '/').waitFor();
  await page.screenshot({ path: `${shots}/project.png` });
  await row(collection + '/').getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Delete' }).click();
  await says('to the trash');
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(collection + '/').waitFor();
  if ((await page.goto(`${base}_keepfs/status`)).status() === 200) await page.screenshot({ path: `${shots}/status.png` });
  await page.goto(home);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Token').waitFor();
  assert.match((await page.goto(home), page.url()), /_keepfs\/login/);
} finally {
  await browser.close();
}
console.log('good');
