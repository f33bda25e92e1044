// What a user chooses before connecting, what of it a notebook keeps, and which bundles and options fit: pure.
import type { Bundle, Catalogue, Cluster, ConnectBody, KnownOption, Session } from './shapes.ts';
import { words } from './words.ts';

export interface Row {
	name: string;
	value: string;
	enabled: boolean;
}

export interface Choice {
	cluster: string | null;
	/** null: the cluster's first. */
	flavour: string | null;
	bundles: string[];
	options: Row[];
}

export const NO_CHOICE: Choice = { cluster: null, flavour: null, bundles: [], options: [] };

/** Keys of a notebook's metadata: ours, and the one that SWAN's connector reads and writes. */
export const OUR_KEY = 'cygnet';
export const SWAN_KEY = 'sparkconnect';

type Json = Record<string, unknown>;
const object = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const names = (value: unknown): string[] => list(value).filter((one): one is string => typeof one === 'string');

function rows(value: unknown, enabled: 'enabled' | 'isEnabled'): Row[] {
	return list(value).map(object).flatMap((one) => {
		const name = text(one['name']);
		return name === null ? [] : [{ name, value: String(one['value'] ?? ''), enabled: one[enabled] !== false }];
	});
}

/** What a notebook keeps, or null: nothing. Ours wins over SWAN's. */
export function readMetadata(get: (key: string) => unknown): Choice | null {
	const ours = object(object(get(OUR_KEY))['spark']);
	if (Object.keys(ours).length > 0) {
		return {
			cluster: text(ours['cluster']), flavour: text(ours['flavour']), bundles: names(ours['bundles']),
			options: rows(ours['options'], 'enabled'),
		};
	}
	const swan = object(get(SWAN_KEY));
	if (Object.keys(swan).length === 0) return null;
	return { ...NO_CHOICE, bundles: names(swan['bundled_options']), options: rows(swan['list_of_options'], 'isEnabled') };
}

const SECRET = /secret|password|token|credential|access\.?key|(^|[._-])key$/i;
export const looksSecret = (name: string): boolean => SECRET.test(name);

/** Whether a value will not be written into the notebook, because it may be a secret. */
export const leavesOut = (choice: Choice): boolean => choice.options.some((one) => looksSecret(one.name) && one.value !== '');

/** What to write, by key. Other members of our own key stay. A notebook is shared: values that may be secrets stay out. */
export function writeMetadata(choice: Choice, get: (key: string) => unknown): [string, Json][] {
	const options = choice.options.filter((one) => one.name !== '').map((one) => (looksSecret(one.name) ? { ...one, value: '' } : one));
	const ours = { cluster: choice.cluster, flavour: choice.flavour, bundles: choice.bundles, options };
	return [
		[OUR_KEY, { ...object(get(OUR_KEY)), spark: ours }],
		[SWAN_KEY, {
			bundled_options: choice.bundles,
			list_of_options: options.map(({ name, value, enabled }) => ({ name, value, isEnabled: enabled })),
		}],
	];
}

/** A filter of versions names 4.2.0, 4.2, 4, or spark4 as SWAN does. */
export function fitsVersion(filter: string, version: string): boolean {
	const wantedVersion = filter.replace(/^spark/i, '');
	return version === wantedVersion || version.startsWith(`${wantedVersion}.`);
}

export function bundleFits(bundle: Bundle, cluster: string | null, version: string | null): boolean {
	const here = bundle.clusters.length === 0 || (cluster !== null && bundle.clusters.includes(cluster));
	const now = bundle.versions.length === 0 || (version !== null && bundle.versions.some((one) => fitsVersion(one, version)));
	return here && now;
}

export const clusterOf = (catalogue: Catalogue, choice: Choice): Cluster | null =>
	catalogue.clusters.find((one) => one.id === choice.cluster) ?? null;

/** The choice with a cluster that can be used: the one chosen, that of the start form, the first. */
export function settle(choice: Choice, catalogue: Catalogue): Choice {
	const usable = (id: string | null): boolean => catalogue.clusters.some((one) => one.id === id && one.usable);
	const cluster = [choice.cluster, catalogue.chosen].find(usable) ?? catalogue.clusters.find((one) => one.usable)?.id ?? null;
	const flavours = catalogue.clusters.find((one) => one.id === cluster)?.flavours ?? [];
	return { ...choice, cluster, flavour: choice.flavour !== null && flavours.includes(choice.flavour) ? choice.flavour : null };
}

/** Chosen bundles that are known and fit; the others stay in the notebook and are not sent. */
export function bundlesToSend(choice: Choice, catalogue: Catalogue): string[] {
	const fit = new Set(catalogue.bundles.filter((one) => bundleFits(one, choice.cluster, catalogue.version)).map((one) => one.name));
	return choice.bundles.filter((one) => fit.has(one));
}

/** What a running session was made of; a secret has to be typed again. */
export const choiceOf = (session: Session): Choice => ({
	cluster: session.cluster, flavour: session.flavour, bundles: session.bundles,
	options: Object.entries(session.options).map(([name, value]) => ({ name, value: value ?? '', enabled: true })),
});

const asked = (rows: readonly Row[]): Row[] =>
	rows.map((one) => ({ ...one, name: one.name.trim() })).filter((one) => one.enabled && one.name !== '' && (one.value !== '' || !looksSecret(one.name)));

const mapOf = (rows: readonly Row[]): Record<string, string> => Object.fromEntries(rows.map((one) => [one.name, one.value]));

/** What to ask with. What the notebook keeps and the form still says is the notebook's, so that a value tells where it is from. */
export function connectBody(choice: Choice, saved: Choice | null, catalogue: Catalogue, kernel: string): ConnectBody {
	const kept = mapOf(asked(saved?.options ?? []));
	const isKept = (one: Row): boolean => kept[one.name] === one.value;
	const [rows, bundles] = [asked(choice.options), bundlesToSend(choice, catalogue)];
	const theirs = bundles.filter((one) => saved?.bundles.includes(one));
	const notebook = { bundles: theirs, options: mapOf(rows.filter(isKept)) };
	return {
		kernel,
		...(choice.cluster === null ? {} : { cluster: choice.cluster }),
		...(choice.flavour === null ? {} : { flavour: choice.flavour }),
		...(theirs.length + Object.keys(notebook.options).length > 0 ? { notebook } : {}),
		bundles: bundles.filter((one) => !theirs.includes(one)),
		options: mapOf(rows.filter((one) => !isKept(one))),
	};
}

/** Names that stand twice among the enabled rows: the last would win without a word. */
export function twice(choice: Choice): string[] {
	const all = choice.options.filter((one) => one.enabled && one.name.trim() !== '').map((one) => one.name.trim());
	return [...new Set(all.filter((one, at) => all.indexOf(one) !== at))];
}

/** Known options whose name fits what was typed: those that begin with it, then those with a part that does, then the rest. */
export function complete(options: readonly KnownOption[], typed: string, limit = 40): KnownOption[] {
	const asked = typed.trim().toLowerCase();
	const rank = (name: string): number => {
		const lower = name.toLowerCase();
		if (lower.startsWith(asked)) return 0;
		if (lower.includes(`.${asked}`)) return 1;
		return lower.includes(asked) ? 2 : 3;
	};
	return options
		.map((option) => ({ option, at: rank(option.name) }))
		.filter((one) => one.at < 3)
		.sort((a, b) => a.at - b.at || a.option.name.localeCompare(b.option.name))
		.slice(0, limit)
		.map((one) => one.option);
}

/** A report that may be shown to anybody: values that may be secrets are left out. */
export function report(session: Session): string {
	const { fields } = words.failed;
	const options = Object.entries(session.options).map(([name, value]) => `  ${name} = ${value === null || looksSecret(name) ? words.hidden : value}`);
	const known: [string, string | null][] = [
		[fields.state, words.list([session.state, session.stage])], [fields.since, session.since], [fields.cluster, session.cluster],
		[fields.flavour, session.flavour], [fields.app, session.app], [fields.cause, session.cause], [fields.hint, session.hint],
		[fields.bundles, session.bundles.join(', ')],
	];
	return [words.failed.report, ...known.map(([name, value]) => `${name}: ${value || '-'}`), `${fields.options}:`, ...options, ''].join('\n');
}
