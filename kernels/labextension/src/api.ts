// The agent's endpoints for Spark, below api/cygnet/spark/ of this server. Errors are sentences.
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { App, Catalogue, ConnectBody, Preview, Session } from './shapes.ts';
import { words } from './words.ts';

const BELOW = 'api/cygnet/spark';

/** What went wrong as a sentence; status is that of the response, 0 when there was none. */
export class ApiError extends Error {
	readonly status: number;
	constructor(message: string, status: number) {
		super(message);
		this.status = status;
	}
}

export class Api {
	private readonly settings: ServerConnection.ISettings;

	constructor(settings: ServerConnection.ISettings) {
		this.settings = settings;
	}

	/** With the bundles of a cluster; null: of the one that the start form chose. */
	catalogue = (cluster: string | null): Promise<Catalogue> =>
		this.ask('GET', ['catalogue'], undefined, undefined, cluster === null ? '' : `?cluster=${encodeURIComponent(cluster)}`);
	preview = (body: ConnectBody, signal: AbortSignal): Promise<Preview> => this.ask('POST', ['preview'], body, signal);
	connections = async (): Promise<Session[]> => (await this.ask<{ connections: Session[] }>('GET', ['connections'])).connections;
	connect = (body: ConnectBody): Promise<Session> => this.ask('POST', ['connections'], body);
	/** What a notebook keeps of a choice, for the first use of `spark` in its kernel. */
	keep = (body: ConnectBody): Promise<void> => this.ask('PUT', ['choice'], body);
	release = (id: string): Promise<void> => this.ask('DELETE', ['connections', id]);
	apps = async (): Promise<App[]> => (await this.ask<{ apps: App[] }>('GET', ['apps'])).apps;
	cancel = (app: string, cell: string): Promise<void> => this.ask('POST', ['apps', app, 'cells', cell, 'cancel']);

	/** The address of an application's UI: a path of this server, or null when it is anything else. */
	uiOf(path: string | null): string | null {
		if (path === null || path === '') return null;
		const base = this.settings.baseUrl;
		const url = new URL(path, new URL(base, location.href));
		return url.origin === new URL(base, location.href).origin ? url.href : null;
	}

	private async ask<T>(method: string, path: string[], body?: unknown, signal?: AbortSignal, query = ''): Promise<T> {
		const url = URLExt.join(this.settings.baseUrl, BELOW, ...path.map(encodeURIComponent)) + query;
		const init: RequestInit = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(signal ? { signal } : {}) };
		let response: Response;
		try {
			response = await ServerConnection.makeRequest(url, init, this.settings);
		} catch (error) {
			throw signal?.aborted ? error : new ApiError(words.unreachable, 0);
		}
		const text = await response.text();
		const json = parse(text);
		if (!response.ok) throw new ApiError(messageOf(json) ?? words.refused(response.status), response.status);
		return json as T;
	}
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

function messageOf(json: unknown): string | null {
	const message = (json as { message?: unknown } | undefined | null)?.message;
	return typeof message === 'string' && message !== '' ? message : null;
}
