import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { Reaper } from '../../support/etcd/reaper.js';

interface Browser {
  readonly path: string;
  readonly args: (profile: string) => string[];
}

/** Debian's. As root they run without a sandbox; and they are to talk to nobody but the page's servers. */
const browsers: Record<string, Browser> = {
  chromium: {
    path: '/usr/bin/chromium',
    args: (profile) => [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-popup-blocking',
      `--user-data-dir=${profile}`,
    ],
  },
  firefox: {
    path: '/usr/bin/firefox-esr',
    args: (profile) => {
      // A page may open tabs: of itself as many as it likes.
      writeFileSync(
        join(profile, 'user.js'),
        'user_pref("dom.disable_open_during_load", false);\nuser_pref("dom.popup_maximum", 100);\n',
      );
      return ['--headless', '--no-remote', '--profile', profile];
    },
  },
};

/** Which one: $BROWSER. Default: chromium. */
const browserName = process.env['BROWSER'] ?? 'chromium';

/** A browser of its own profile that shows a page; it cannot outlive this process. */
export class BrowserProcess {
  readonly #reaper: Reaper;
  #said = '';
  #ended = false;

  constructor(url: string) {
    const browser = browsers[browserName];
    if (browser === undefined)
      throw new Error(`BROWSER=${browserName}: it is one of ${Object.keys(browsers).join(', ')}`);
    const profile = mkdtempSync(join(tmpdir(), `rxetcd-${browserName}-`));
    this.#reaper = new Reaper(profile);
    const child = spawn(browser.path, [...browser.args(profile), url], {
      env: { ...process.env, HOME: profile },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (this.#said = (this.#said + text).slice(-2_000)));
    child.once('error', (error) => {
      this.#said += `${error.message}: install Debian's ${browserName}`;
      this.#ended = true;
    });
    child.once('exit', () => {
      this.#ended = true;
      this.#reaper.watch(undefined);
    });
    this.#reaper.watch(child.pid);
  }

  /** Throws if it has ended by itself. */
  demand(): void {
    if (this.#ended) throw new Error(`the browser has ended: ${this.#said}`);
  }

  async end(): Promise<void> {
    await lastValueFrom(this.#reaper.end$(), { defaultValue: undefined });
  }
}
