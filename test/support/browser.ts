/** A page in a real browser, by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/). */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Debian's Chromium without a window, and the whole one, which does as well. */
const BROWSER = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find((path) => existsSync(path));

/** Whether this machine has a browser; `local/setup.sh test` installs it where it is packaged. */
export const hasBrowser = BROWSER !== undefined;

/** A page that is open. */
export interface BrowserPage {
  /** The value of an expression, as JSON. */
  evaluate<T>(expression: string): Promise<T>;
  /** Presses a key as a person does. */
  press(key: 'Tab' | 'Enter'): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  /** What the page complained about. */
  readonly complaints: readonly string[];
}

/** Opens a document, and ends the browser afterwards. */
export async function inBrowser<T>(html: string, work: (page: BrowserPage) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'browser-'));
  const file = join(directory, 'page.html');
  writeFileSync(file, html);
  // As root, which tests in containers are, Chromium has no sandbox; the document is ours.
  const child = spawn(
    BROWSER ?? '',
    [
      '--headless',
      '--no-sandbox',
      '--remote-debugging-port=0',
      `--user-data-dir=${join(directory, 'profile')}`,
    ],
    // A process group of its own: Debian's program is a shell script that waits for the browser.
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  try {
    const socket = new WebSocket(await endpointOf(child.stderr));
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', reject, { once: true });
    });
    try {
      return await work(await openPage(socket, pathToFileURL(file).href));
    } finally {
      socket.close();
    }
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function endpointOf(stderr: NodeJS.ReadableStream): Promise<string> {
  let said = '';
  for await (const chunk of stderr) {
    said += String(chunk);
    const [, endpoint] = /listening on (ws:\S+)/.exec(said) ?? [];
    if (endpoint !== undefined) return endpoint;
  }
  throw new Error(`the browser did not start: ${said.slice(-1000)}`);
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

async function openPage(socket: WebSocket, url: string): Promise<BrowserPage> {
  const waiting = new Map<number, (message: Message) => void>();
  const complaints: string[] = [];
  let loaded: (() => void) | undefined;
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    if (message.method === 'Page.loadEventFired') loaded?.();
    if (/^(Log\.entryAdded|Runtime\.exceptionThrown)$/.test(message.method ?? ''))
      complaints.push(JSON.stringify(message.params));
  });
  let sent = 0;
  const session: { sessionId?: string } = {};
  const call = async <T>(method: string, params: object = {}): Promise<T> => {
    const id = (sent += 1);
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params, ...session }));
    const { result, error } = await answer;
    waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as T;
  };
  const { targetId } = await call<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
  Object.assign(session, await call('Target.attachToTarget', { targetId, flatten: true }));
  for (const domain of ['Page', 'Log', 'Runtime']) await call(`${domain}.enable`);
  const load = new Promise<void>((resolve) => (loaded = resolve));
  await call('Page.navigate', { url });
  await load;
  const key = (type: string, name: string): Promise<unknown> =>
    call('Input.dispatchKeyEvent', {
      type,
      key: name,
      code: name,
      windowsVirtualKeyCode: name === 'Tab' ? 9 : 13,
      ...(name === 'Enter' && type === 'keyDown' && { text: '\r' }),
    });
  return {
    complaints,
    evaluate: async <T>(expression: string) => {
      const { result, exceptionDetails } = await call<{
        result: { value: T };
        exceptionDetails?: { text: string };
      }>('Runtime.evaluate', { expression, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.text}`);
      return result.value;
    },
    press: async (name) => {
      await key('keyDown', name);
      await key('keyUp', name);
    },
    resize: async (width, height) => {
      await call('Emulation.setDeviceMetricsOverride', {
        width,
        height,
        deviceScaleFactor: 1,
        mobile: false,
      });
    },
  };
}
