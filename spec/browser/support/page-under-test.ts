import type { RequestListener } from 'node:http';
import { PageClient } from './page-client.js';
import type { PageOptions } from './page-library.js';
import { Page } from './page.js';
import type { Tab } from './tab.js';

/** One page for a whole spec file, and what its tests open there, closed after each of them. */
export interface PageUnderTest {
  readonly page: Page;
  /** @param tab where. Default: the first */
  client(options: PageOptions, tab?: Tab): Promise<PageClient>;
  /** The first tab and others, which are closed after the test. */
  tabs(count: number): Promise<Tab[]>;
  /** A tab of another origin on the same host, closed after the test. */
  stranger(): Promise<Tab>;
}

/** @param otherwise answers what is not the page's own: to be of the same origin. Default: nothing is there */
export function pageUnderTest(otherwise?: RequestListener): PageUnderTest {
  let page: Page | undefined;
  const clients: PageClient[] = [];
  const tabs: Tab[] = [];
  beforeAll(async () => {
    page = await Page.open(otherwise);
  });
  afterEach(async () => {
    for (const tab of tabs.splice(0)) await tab.close();
    for (const client of clients.splice(0)) await client.close();
  });
  afterAll(() => page?.close());

  const underTest: PageUnderTest = {
    get page() {
      if (page === undefined) throw new Error('no page before the first test');
      return page;
    },
    client: async (options, tab = underTest.page.first) => {
      const client = await PageClient.open(tab, options);
      // With another tab goes all that is in it.
      if (tab === underTest.page.first) clients.push(client);
      return client;
    },
    tabs: async (count) => {
      while (tabs.length < count - 1) tabs.push(await underTest.page.another());
      return [underTest.page.first, ...tabs];
    },
    stranger: async () => {
      const tab = await underTest.page.stranger();
      tabs.push(tab);
      return tab;
    },
  };
  return underTest;
}
