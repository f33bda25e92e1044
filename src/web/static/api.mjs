// The hub's API (docs/api/openapi.yaml). Errors come as ApiError; status 0 is "no response".
import { words } from './words.mjs';

class ApiError extends Error {
	constructor(status, body) {
		super(body?.message || (status ? words.unexpected : words.unreachable.join('. ')));
		this.status = status;
		this.field = body?.cygnet?.field;
	}
}

// One folder up from this file; servers are beside it.
export const hub = new URL('..', import.meta.url).pathname.slice(0, -1);
export const home = `${hub}/home`;
const seg = encodeURIComponent;
export const userPath = (user, to) => `${hub.slice(0, -3)}user/${seg(user)}/${to}`;

/** Resolves to the response's JSON, or null. A body is sent as JSON, or as a form if it is URLSearchParams. */
export async function call(method, path, body, more) {
	const headers = { Accept: 'application/json' };
	if (body && !(body instanceof URLSearchParams)) {
		headers['Content-Type'] = 'application/json';
		body = JSON.stringify(body);
	}
	let response, data;
	try {
		response = await fetch(hub + path, { method, headers, body, cache: 'no-store', ...more });
		data = await response.text();
	} catch {
		throw new ApiError(0);
	}
	try {
		data = data ? JSON.parse(data) : null;
	} catch {
		throw new ApiError(response.ok ? 0 : response.status);
	}
	if (!response.ok) throw new ApiError(response.status, data);
	return data;
}

export const get = (path) => call('GET', path);
export const serverApi = (user, server) => `/api/users/${seg(user)}/server${server ? `s/${seg(server)}` : ''}`;
export const ownApi = (user, what) => `/api/cygnet/servers/${seg(user)}/${what}`;
export const withNext = (path, next) => (next ? `${path}?next=${seg(next)}` : path);
export const pendingPage = (user, server, next) => withNext(`${hub}/spawn-pending/${seg(user)}${server ? `/${seg(server)}` : ''}`, next);

/** A path on this origin, safe to go to; else null. */
export const safePath = (path) => (/^\/(?![/\\])[^\\\0-\x20\x7f]*$/.test(path ?? '') ? path : null);
export const query = new URLSearchParams(location.search);
export const here = location.pathname + location.search + location.hash;
export const next = safePath(query.get('next'));

/** The signed-in user. Without one the page is left for the sign-in, and the promise never settles. */
export async function me() {
	try {
		return await get('/api/user');
	} catch (err) {
		if (err.status !== 403) throw err;
		location.replace(withNext(`${hub}/login`, here));
		return new Promise(() => {});
	}
}

/** Asks for a start and soon goes to its page (`keepalive`: it may take 10 s). A refusal is thrown; 500 is a
 failed start, shown there. */
export async function start(user, server, choice, goal) {
	const post = call('POST', serverApi(user, server), choice ? { user_options: choice } : {}, { keepalive: true })
		.catch((err) => err.status === 500 || Promise.reject(err));
	await Promise.race([post, new Promise((resolve) => setTimeout(resolve, 700))]);
	post.catch(() => {});
	location.assign(pendingPage(user, server, goal));
	return new Promise(() => {});
}
