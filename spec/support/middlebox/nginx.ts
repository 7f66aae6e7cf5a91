import { accessSync, constants, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Observable } from 'rxjs';
import { startChildServer, type ChildServer } from './child-server.js';

/** How nginx stands in front of a server. Times in s. */
export interface NginxOptions {
  /** As Debian's nginx comes, or not. Default true. */
  readonly buffering?: boolean;
  /** So long the server may say nothing: then nginx ends the answer. Default 60, as it comes. */
  readonly readTimeout?: number;
}

/** Starts nginx, with HTTP/1.1 to the servers behind it, which it asks in turn; it lives until `close$`. Nothing of it stays. */
export function startNginx(
  targetUrls: readonly string[],
  options: NginxOptions = {},
): Observable<ChildServer> {
  return startChildServer({
    name: 'nginx',
    program: findNginx() ?? 'nginx',
    args: (port, folder) => {
      const file = join(folder, 'nginx.conf');
      writeFileSync(file, configuration(port, folder, targetUrls, options));
      return ['-c', file, '-p', folder, '-e', 'stderr'];
    },
  });
}

/** Whether it is installed. */
export const hasNginx = (): boolean => findNginx() !== undefined;

/** Where nginx is; undefined if it is not installed. */
function findNginx(): string | undefined {
  // Debian has it where users without rights do not look.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), '/usr/sbin'];
  return folders.map((folder) => join(folder, 'nginx')).find(isExecutable);
}

function configuration(
  port: number,
  folder: string,
  targetUrls: readonly string[],
  { buffering = true, readTimeout = 60 }: NginxOptions,
): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
# One process, which the spec can end.
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
  upstream etcd {
${targetUrls.map((url) => `    server ${new URL(url).host};`).join('\n')}
    keepalive 8;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://etcd;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering ${buffering ? 'on' : 'off'};
      proxy_read_timeout ${readTimeout}s;
    }
  }
}
`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
