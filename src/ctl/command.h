/* One command of cygnetctl: a row of the table in main.c, a file each. */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

/* argv[0] is the command's name. Returns the exit code: 0, 1 failed, 2 wrong use. */
int ctl_up(int argc, char **argv);
int ctl_doctor(int argc, char **argv);
int ctl_metrics(int argc, char **argv);
int ctl_audit(int argc, char **argv);
int ctl_hand_over(int argc, char **argv);

#endif
