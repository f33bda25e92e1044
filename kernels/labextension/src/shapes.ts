// What the agent tells of Spark, as types: sessions, applications, cells, the catalogue, a preview. A member that is
// not known is null, never absent. The shapes are those of docs/decisions/0009-spark-sessions-by-the-agent.md.

/** States of a session in the order that a start goes through them; the last four are ends of some kind. */
export type SessionState = 'asking' | 'cluster' | 'driver' | 'ready' | 'failed' | 'lost' | 'ending' | 'gone';

/** One driver for one kernel. */
export interface Session {
	id: string;
	kernel: string;
	cluster: string;
	label: string | null;
	flavour: string;
	state: SessionState;
	/** What it waits for, and that as a sentence. */
	stage: string | null;
	text: string | null;
	cause: string | null;
	hint: string | null;
	/** Since when it is in this state. */
	since: string | null;
	/** The id of its Spark application, once it has one. */
	app: string | null;
	/** null: a secret, which nobody is told. */
	options: Record<string, string | null>;
	bundles: string[];
	/** Options that were asked for and that the running driver cannot take. */
	ignored: string[];
	/** When it ends if nobody uses it. */
	idle_ends: string | null;
}

export interface Count {
	total: number;
	done: number;
	active: number;
	failed: number;
	skipped: number;
}

export interface Job {
	id: number;
	name: string | null;
	state: string;
	started: string | null;
	ended: string | null;
	stage_ids: number[];
	failure: string | null;
}

export interface Stage {
	id: number;
	attempt: number;
	name: string | null;
	state: string;
	tasks: Count;
	input: number | null;
	output: number | null;
	shuffle_read: number | null;
	shuffle_write: number | null;
	spilled: number | null;
	failure: string | null;
}

/** Milliseconds since the cell began, tasks that run, executors. */
export type Point = [number, number, number];

/** What one execution of a cell does in Spark. */
export interface CellRun {
	cell: string;
	msg: string | null;
	kernel: string;
	state: 'running' | 'succeeded' | 'failed' | 'cancelled';
	started: string | null;
	ended: string | null;
	jobs: Count;
	stages: Count;
	tasks: Count;
	executors: number | null;
	failure: string | null;
	job_list: Job[];
	stage_list: Stage[];
	plot: Point[];
}

/** What Spark calls an application. cells is there in answers to GET apps alone. */
export interface App {
	app: string;
	session: string | null;
	kernel: string;
	cluster: string;
	label: string | null;
	flavour: string;
	name: string | null;
	state: 'running' | 'ended' | 'lost';
	started: string | null;
	ended: string | null;
	ui: string | null;
	executors: { active: number; cores: number; memory_mb: number } | null;
	cells?: CellRun[];
}

export type SparkEvent =
	| { kind: 'session'; session: Session }
	| { kind: 'app'; app: App }
	| { kind: 'cell'; app: string; cell: CellRun };

export interface Cluster {
	id: string;
	label: string;
	description: string | null;
	kind: string;
	flavours: string[];
	facts: { label: string; value: string }[];
	usable: boolean;
	/** Why it cannot be used. */
	reason: string | null;
}

export interface Bundle {
	name: string;
	description: string | null;
	/** Where it applies; an empty list: everywhere. */
	clusters: string[];
	versions: string[];
	options: { name: string; value: string; concatenate: string | null }[];
}

/** A Spark property that the deployed version knows. */
export interface KnownOption {
	name: string;
	category: string | null;
	type: string | null;
	default: string | null;
	doc: string | null;
	since: string | null;
}

export interface Catalogue {
	/** The cluster that the start form chose. */
	chosen: string | null;
	version: string | null;
	clusters: Cluster[];
	bundles: Bundle[];
	options: KnownOption[];
}

export interface Property {
	name: string;
	/** null: a secret, or a layer forbids the property. */
	value: string | null;
	layer: string;
	locked: boolean;
	secret: boolean;
	lost: { layer: string; value: string | null; why: string | null }[];
}

export interface Lint {
	name: string;
	level: 'error' | 'warning';
	text: string;
	nearest: string | null;
}

export interface Preview {
	properties: Property[];
	lint: Lint[];
}

/** What a connection is asked with; preview takes the same. */
export interface ConnectBody {
	kernel: string;
	cluster?: string;
	flavour?: string;
	bundles?: string[];
	options?: Record<string, string>;
	/** What of it the notebook keeps: a layer of its own, below the form's. */
	notebook?: { bundles: string[]; options: Record<string, string> };
}
