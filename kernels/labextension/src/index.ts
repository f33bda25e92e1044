// What JupyterLab and Notebook 7 load: the plugin of the Spark panel, the monitor below cells and the status bar item.
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';
import { Api } from './api.ts';
import { starIcon } from './icons.ts';
import { tellChoices } from './kept.ts';
import { PanelModel } from './model.ts';
import { watchNotebooks } from './monitor.ts';
import { SparkPanel } from './panel.tsx';
import { StatusItem } from './status.tsx';
import { Store } from './store.ts';
import { words } from './words.ts';

const OPEN = 'cygnet-spark:open';
/** Among the side bar's others: below the property inspector and the debugger. */
const RANK = 700;

/** Notebook 7 has no status bar: its notebook's toolbar says what the bar would. */
function showInToolbars(app: JupyterFrontEnd, make: () => StatusItem): void {
	app.docRegistry.addWidgetExtension('Notebook', {
		createNew: (panel: NotebookPanel) => {
			const item = make();
			if (!panel.toolbar.insertBefore('kernelName', 'cygnet-spark', item)) panel.toolbar.addItem('cygnet-spark', item);
			return item;
		},
	});
}

function activate(
	app: JupyterFrontEnd, tracker: INotebookTracker, palette: ICommandPalette | null, status: IStatusBar | null, restorer: ILayoutRestorer | null,
): void {
	const { serviceManager, shell, commands } = app;
	const store = new Store(new Api(serviceManager.serverSettings));
	const model = new PanelModel(store, tracker);
	const panel = new SparkPanel(model);
	const open = (): void => shell.activateById(panel.id);
	shell.add(panel, 'right', { rank: RANK });
	restorer?.add(panel, panel.id);
	commands.addCommand(OPEN, { label: words.open, icon: starIcon, execute: open });
	palette?.addItem({ command: OPEN, category: words.title });
	status?.registerStatusItem(OPEN, {
		item: new StatusItem(model, open), align: 'left', rank: 10,
		isActive: () => store.availability === 'yes' && tracker.currentWidget !== null, activeStateChanged: model.changed,
	});
	if (status === null) showInToolbars(app, () => new StatusItem(model, open));
	watchNotebooks(tracker, store);
	tellChoices(tracker, store);
	store.start(serviceManager.events);
}

const plugin: JupyterFrontEndPlugin<void> = {
	id: '@cygnet/spark:plugin',
	description: 'Connects notebooks to Spark and shows what their cells do there.',
	autoStart: true,
	requires: [INotebookTracker],
	optional: [ICommandPalette, IStatusBar, ILayoutRestorer],
	activate,
};

export default plugin;
