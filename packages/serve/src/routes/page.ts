// The page at /: a chat with the model, and two models side by side.
import { existsSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from 'hono';
import { ApiError } from '../api-error.ts';

const folder = new URL('../../page/', import.meta.url);
const files = ['index.html', 'page.css', 'page.js'];
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** The page loads nothing from elsewhere, and no other site may show it in a frame. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'";

export const page =
  (name: string) =>
  (context: Context): Response => {
    const path = fileURLToPath(new URL(name, folder));
    if (!files.includes(name) || !existsSync(path)) {
      throw new ApiError(404, `There is no page "${name}" on this server`);
    }
    return context.body(readFileSync(path, 'utf8'), 200, {
      'Content-Type': types[extname(name)]!,
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
    });
  };
