import type { RequestListener } from 'node:http';
import { PageClient } from './page-client.js';
import type { PageOptions } from './page-library.js';
import { Page } from './page.js';

/** One page for a whole spec file, and what its tests open there, closed after each of them. */
export interface PageUnderTest {
  readonly page: Page;
  client(options: PageOptions): Promise<PageClient>;
}

/** @param otherwise answers what is not the page's own: to be of the same origin. Default: nothing is there */
export function pageUnderTest(otherwise?: RequestListener): PageUnderTest {
  let page: Page | undefined;
  const clients: PageClient[] = [];
  beforeAll(async () => {
    page = await Page.open(otherwise);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });
  afterAll(() => page?.close());

  const underTest: PageUnderTest = {
    get page() {
      if (page === undefined) throw new Error('no page before the first test');
      return page;
    },
    client: async (options) => {
      const client = await PageClient.open(underTest.page, options);
      clients.push(client);
      return client;
    },
  };
  return underTest;
}
