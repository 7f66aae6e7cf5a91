/** Ends the output with the one line that CI reads: `N passed, N failed`. */
module.exports = class ClosingLine {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    // Jest writes its own summary to stderr; the closing line goes to stdout after it.
    setImmediate(() => process.stdout.write(`${results.numPassedTests} passed, ${failed} failed\n`));
  }
};
