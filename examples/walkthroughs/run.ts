/** `npm run walkthrough -- NAME [--etcd]` runs a walkthrough of this folder; without a name it lists them. */
const names = ['leader-detection', 'failover', 'observers', 'heartbeating'];
const [name = ''] = process.argv.slice(2);

if (names.includes(name)) {
  await import(new URL(`${name}.js`, import.meta.url).href);
} else {
  console.error(`npm run walkthrough -- ${names.join(' | ')} [--etcd]`);
  process.exitCode = 1;
}

export {};
