// The built pages. The browser keeps files with a hash in their names, and asks for the page again.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { extname, join, resolve, sep } from 'node:path';
import type { Context } from 'hono';
import { notFound } from './requests/errors.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** @param folder the built pages */
export const pages = (folder: string) => {
  const root = resolve(folder);
  return (context: Context): Response => {
    const asset = context.req.path.startsWith('/assets/');
    const path = asset ? resolve(join(root, plainPath(context.req.path))) : '';
    // Every other address is a place in the application, which the page finds itself.
    const file = asset ? path : join(root, 'index.html');
    const isInside = file.startsWith(root + sep);
    if (!isInside || !existsSync(file) || !statSync(file).isFile())
      throw notFound(`There is no ${context.req.path} in the Studio`);
    const type = types[extname(file)] ?? 'application/octet-stream';
    const headers: Record<string, string> = {
      'Content-Type': type,
      'Cache-Control': asset ? 'public, max-age=31536000, immutable' : 'no-cache',
    };
    const accepts = context.req.header('accept-encoding') ?? '';
    const packed = `${file}.gz`;
    if (/\bgzip\b/.test(accepts) && existsSync(packed)) {
      headers['Content-Encoding'] = 'gzip';
      headers.Vary = 'Accept-Encoding';
      return context.body(readFileSync(packed), 200, headers);
    }
    return context.body(readFileSync(file), 200, headers);
  };
};

/** A path without escapes. @throws StudioError for one that no file can have */
function plainPath(path: string): string {
  try {
    const plain = decodeURIComponent(path);
    if (!plain.includes('\0')) return plain;
  } catch {
    // An escape that is none.
  }
  throw notFound(`There is no ${path} in the Studio`);
}
