const { default: circusOf = require('jest-circus/runner') } = require('jest-circus/runner');

/** How long a file may take to end what it has told to end, ms. */
const patience = 3_000;
const tick = 20;

/**
 * Jest's own runner, and behind each file nothing is left that keeps the process running. What a failed test left open
 * is ended, so that Jest ends and says which; a file that passed and left something open fails.
 */
module.exports = function run(globalConfig, config, environment, runtime, path, send) {
  const strangers = new Set([...handles(), process.stdin, process.stdout, process.stderr]);
  const left = () => handles().filter((handle) => !strangers.has(handle));
  const clearIntervals = watchIntervals(environment.global);
  const circus = circusOf.bind(null, globalConfig, config, environment, runtime, path, send);
  // Without an `await`, which would put this file in front of the stack of each failure.
  return Promise.resolve()
    .then(circus)
    .then((results) => clear(results, left, clearIntervals));
};

async function clear(results, left, clearIntervals) {
  const isFailed = results.numFailingTests > 0 || results.testExecError !== undefined;
  for (let waited = 0; !isFailed && left().length > 0 && waited < patience; waited += tick)
    await new Promise((resolve) => setTimeout(resolve, tick));
  const open = left();
  const message = `All passed, but something was left open: ${open.map(nameOf).sort().join(', ')}`;
  clearIntervals();
  open.forEach(end);
  if (!isFailed && open.length > 0) {
    results.testExecError = { message, stack: '' };
    results.failureMessage = `  ● ${message}\n`;
  }
  return results;
}

/** What keeps this process running, timers aside. */
const handles = () => process._getActiveHandles();

const nameOf = (handle) => {
  const port = handle.remotePort ?? handle.address?.()?.port;
  const where = handle.spawnfile ?? (port === undefined ? '' : `port ${port}`);
  return `${handle.constructor.name} ${where}`.trim();
};

function end(handle) {
  handle.on?.('error', () => undefined);
  if (handle.kill !== undefined) handle.kill('SIGKILL');
  else if (handle.destroy !== undefined) handle.destroy();
  else handle.close?.();
}

/** The function that it returns ends all that still repeat; what begins from then on lets the process end. */
function watchIntervals(global) {
  const { setTimeout, setInterval, clearInterval } = global;
  const running = new Set();
  global.setInterval = (...args) => {
    const interval = setInterval(...args);
    running.add(interval);
    return interval;
  };
  global.clearInterval = (interval) => {
    running.delete(interval);
    clearInterval(interval);
  };
  return () => {
    running.forEach(clearInterval);
    global.setInterval = (...args) => setInterval(...args).unref();
    global.setTimeout = (...args) => setTimeout(...args).unref();
  };
}
