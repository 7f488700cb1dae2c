// Checks that a staged package is whole: what its files refer to is in it, or in a dependency.
import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { parseSync } from 'oxc-parser';
import { filesIn } from './stage-package.mjs';

/**
 * @param {string} folder of the staged package
 * @returns {string[]} what is missing; nothing if the package is whole
 */
export function checkPackage(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const known = new Set([manifest.name, ...Object.keys(manifest.dependencies ?? {})]);
  const problems = Object.values(manifest.exports ?? {})
    .flatMap((target) => (typeof target === 'string' ? target : Object.values(target)))
    .filter((path) => !existsSync(join(folder, path)))
    .map((path) => `${manifest.name}: its exports name ${path}, which does not exist`);
  for (const file of filesIn(folder)) {
    const name = `${manifest.name}: ${relative(folder, file)}`;
    if (/(?<!\.d)\.m?ts$/.test(file)) problems.push(`${name} is TypeScript`);
    if (!/\.(m?js|d\.m?ts)$/.test(file)) continue;
    for (const request of requestsOf(file)) {
      if (request.startsWith('.')) {
        const path = join(dirname(file), request);
        // The declarations of x.js are in x.d.ts.
        const found = [path, path.replace(/\.(m?)js$/, '.d.$1ts')].some(existsSync);
        if (!found) problems.push(`${name} refers to ${request}, which does not exist`);
      } else if (!isBuiltin(request) && !known.has(packageOf(request))) {
        problems.push(`${name} imports ${request}, which is not a dependency`);
      }
    }
  }
  return problems;
}

/** What a module imports, or opens next to itself by a URL. */
function requestsOf(file) {
  const text = readFileSync(file, 'utf8');
  const { module } = parseSync(file, text);
  const quoted = ({ start, end }) => /^(['"])(.*)\1$/.exec(text.slice(start, end))?.[2];
  return [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.flatMap(({ moduleRequest }) => quoted(moduleRequest) ?? []),
    ...[...text.matchAll(/new URL\('([^']+)', import\.meta\.url\)/g)].map(([, path]) =>
      path.startsWith('.') ? path : `./${path}`,
    ),
  ];
}

const packageOf = (request) =>
  request
    .split('/')
    .slice(0, request.startsWith('@') ? 2 : 1)
    .join('/');
