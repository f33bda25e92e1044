// A whole Cygnet on this machine for one journey: `cygnetctl up` with the demo site in folders of its own.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { BIN, ROOT, makeTmp } from './places.mjs';
import { start } from './programs.mjs';

const CACHE = process.env.CACHE ?? (process.getuid() === 0 ? '/var/cache/cygnet' : path.join(process.env.HOME, '.cache/cygnet'));

// Starts it; template: what profiles run ('lab' our agent, 'stock' stock JupyterLab). edit(configFolder) may change
// the configuration first. Gives { url, password, folder, program, up(), stop() }.
export async function demoSite({ template = 'lab', edit = () => {}, port = 8000, folder = makeTmp() } = {}) {
	const config = path.join(folder, 'config');
	const programs = path.join(folder, 'bin');
	execFileSync(path.join(ROOT, 'config/demo/render.sh'), [config, template], { stdio: ['ignore', 'inherit', 'inherit'] });
	cpSync(path.join(ROOT, 'src/web'), path.join(folder, 'web'), { recursive: true });
	mkdirSync(programs, { recursive: true });
	for (const name of readdirSync(BIN)) cpSync(path.join(BIN, name), path.join(programs, name));
	edit(config);
	const ready = path.join(folder, 'ready.json');
	const site = {
		folder, config,
		// Starts the daemons (again) on the same folders.
		async up() {
			site.program = start('cygnetctl', path.join(programs, 'cygnetctl'), ['up', '--port', String(port),
				'--state-dir', path.join(folder, 'state'), '--run-dir', path.join(folder, 'run'), '--cache-dir', CACHE,
				'--bin-dir', programs, '--web-dir', path.join(folder, 'web'), '--config-dir', config, '--ready-file', ready]);
			await site.program.waitFor(/Cygnet is ready: (\S+)/);
			Object.assign(site, JSON.parse(readFileSync(ready, 'utf8')));
		},
		// Ends everything and checks that nothing of a server is left.
		async stop() {
			await site.program.stop();
			const run = path.join(folder, 'run');
			const left = ['s', 'servers'].flatMap((name) => readdirSync(path.join(run, name)).map((one) => `${name}/${one}`));
			left.push(...execFileSync('find', [run, '-type', 's'], { encoding: 'utf8' }).split('\n').filter(Boolean));
			left.push(...readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(folder)));
			const group = `cygnet-${run.slice(1).replaceAll('/', '-')}`;
			left.push(...execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', `${group}*`], { encoding: 'utf8' }).split('\n').filter(Boolean));
			left.push(...site.running());
			if (existsSync(ready)) left.push(ready);
			if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
		},
		// The command lines of all processes of this site.
		running() {
			return execFileSync('sh', ['-c', 'pgrep -af "$0" || [ $? -eq 1 ]', `^${programs}/`], { encoding: 'utf8' }).split('\n').filter(Boolean);
		},
		// The pid of a daemon, 'hub', 'proxy', 'spawner-sandbox': the child of `up`, not the daemon's own children.
		pidOf(name) {
			return Number(execFileSync('pgrep', ['-P', String(site.program.child.pid), '-f', `^${programs}/cygnet-${name} `], { encoding: 'utf8' }));
		},
	};
	await site.up();
	return site;
}
