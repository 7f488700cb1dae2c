// Who may send a request, and from which pages.
import { isForeign } from '@keel/serve/access';
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { StudioContext, StudioEnvironment } from './context.ts';
import { notFound, StudioError } from './errors.ts';

/**
 * Refuses what pages of other sites make a browser send. On this machine's own address also
 * requests for another host, which DNS rebinding would lead here.
 * @param local whether only this machine can reach the server
 */
export const refuseForeign = (url: string, local: boolean): MiddlewareHandler => {
  const own = new URL(url);
  return async (context, next) => {
    const host = context.req.header('host') ?? '';
    const origin = context.req.header('origin');
    const isKnown = host === own.host || (local && !isForeign(host, undefined, []));
    const isSame =
      origin === undefined || origin === own.origin || origin.replace(/^https?:\/\//, '') === host;
    if (!isKnown || !isSame) {
      const from = origin === undefined ? '' : ` from ${origin}`;
      throw new StudioError(
        403,
        'foreign',
        `This request is for ${host || 'no host'}${from}, and the Studio is at ${url}. Name its address with --url`,
      );
    }
    await next();
  };
};

/**
 * Nothing is loaded from elsewhere, and no other site may show the pages in a frame. A route that
 * sets a stricter policy keeps it.
 */
export const safeHeaders = (): MiddlewareHandler => async (context, next) => {
  let own: string | null = null;
  await usualHeaders(context, async () => {
    await next();
    own = context.res.headers.get('content-security-policy');
  });
  if (own !== null) context.res.headers.set('content-security-policy', own);
};

const usualHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    scriptSrc: ["'self'"],
    // The components set the size of what they show in style attributes.
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:', 'blob:'],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
    objectSrc: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'self'"],
  },
  referrerPolicy: 'no-referrer',
  xFrameOptions: 'SAMEORIGIN',
  strictTransportSecurity: false,
  // Invitations must work where the Studio is not served over https.
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
});

/** Demands that somebody is signed in. */
export const demandPerson = ({ people }: StudioContext): MiddlewareHandler<StudioEnvironment> => {
  return async (context, next) => {
    const person = await people.current(context.req.raw.headers);
    if (person === null) throw new StudioError(401, 'signed-out', 'Sign in first');
    context.set('person', person);
    await next();
  };
};

/** Demands an admin. */
export const demandAdmin: MiddlewareHandler<StudioEnvironment> = async (context, next) => {
  if (context.get('person').role !== 'admin')
    throw new StudioError(403, 'admins-only', 'Only admins can do this');
  await next();
};

/** Demands that the person works on the project of the path; others are told that there is none. */
export const demandProject = ({
  people,
  store,
}: StudioContext): MiddlewareHandler<StudioEnvironment> => {
  return async (context, next) => {
    const project = context.req.param('project') ?? '';
    const isSeen = await people.maySee(context.get('person'), project);
    // Another admin may have deleted it while a page of it was open.
    if (!isSeen || !(await store.hasProject(project))) throw notFound('There is no such project');
    await next();
  };
};
