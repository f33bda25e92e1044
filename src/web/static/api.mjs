// The hub's API (docs/api/openapi.yaml). Errors come as ApiError; status 0 is "no answer".

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.message ?? '');
    this.status = status;
    this.field = body?.cygnet?.field ?? null;
  }
}

export async function call(method, path, body, more) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined && !(body instanceof URLSearchParams)) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(body);
  }
  let answer, text;
  try {
    answer = await fetch(path, { method, headers, body, credentials: 'same-origin', cache: 'no-store', ...more });
    text = await answer.text();
  } catch {
    throw new ApiError(0);
  }
  let data = null;
  try {
    data = text === '' ? null : JSON.parse(text);
  } catch {
    if (answer.ok) throw new ApiError(0);
  }
  if (!answer.ok) throw new ApiError(answer.status, data);
  return { status: answer.status, data };
}

export const get = async (path) => (await call('GET', path)).data;

const seg = encodeURIComponent;
export const serverApi = (user, server = '') => `/hub/api/users/${seg(user)}/${server === '' ? 'server' : `servers/${seg(server)}`}`;
export const ownApi = (what, user, server = '') => `/hub/api/cygnet/servers/${seg(user)}/${server === '' ? '' : `${seg(server)}/`}${what}`;
export const pendingPage = (user, server, next) =>
  `/hub/spawn-pending/${seg(user)}${server ? `/${seg(server)}` : ''}${next ? `?next=${seg(next)}` : ''}`;

/** A path on this origin, or null: what may be gone to without asking. */
export const safePath = (path) => (/^\/(?![/\\])[^\\\u0000-\u0020\u007f]*$/.test(path ?? '') ? path : null);

export const query = () => new URLSearchParams(location.search);
export const here = () => location.pathname + location.search + location.hash;
export const toSignIn = () => location.replace(`/hub/login?next=${seg(here())}`);

/** The signed-in user; without one the page is left for the sign-in and the promise never settles. */
export async function me() {
  try {
    return await get('/hub/api/user');
  } catch (err) {
    if (err.status !== 401 && err.status !== 403) throw err;
    toSignIn();
    return new Promise(() => {});
  }
}

/**
 * Asks for a start and goes to the page that shows it. The answer may take ten seconds, so the page is left
 * after a moment; `keepalive` lets the request live on. A refusal comes at once and is thrown.
 */
export async function start(user, server, choice, next) {
  const post = call('POST', serverApi(user, server), choice ? { user_options: choice } : {}, { keepalive: true });
  post.catch(() => {});
  await Promise.race([post, new Promise((resolve) => setTimeout(resolve, 700))]);
  location.assign(pendingPage(user, server, next));
  return new Promise(() => {});
}
