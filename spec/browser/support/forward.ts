import { request, type RequestListener } from 'node:http';

/**
 * Passes requests on to another server, and its answers back as they come.
 *
 * @param target the origin of that server
 * @param delay of each request, ms. Default: none
 */
export function forward(target: () => string, delay = 0): RequestListener {
  return (asked, answer) => {
    const { method = 'GET', url = '/', headers } = asked;
    const pass = (): void => {
      const onward = request(target() + url, { method, headers, agent: false }, (answered) => {
        answer.writeHead(answered.statusCode!, answered.headers).flushHeaders();
        answered.pipe(answer);
      });
      onward.on('error', () => answer.destroy());
      answer.on('close', () => onward.destroy());
      asked.pipe(onward);
    };
    if (delay === 0) pass();
    else setTimeout(pass, delay);
  };
}
