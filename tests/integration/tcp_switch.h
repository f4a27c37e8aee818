#ifndef TCP_SWITCH_H
#define TCP_SWITCH_H

/*
 * What stands before a database's nodes: each new connection to its port of 127.0.0.1 is led to
 * the node that is in its turn then, and stays there. One for a process.
 */

/* Starts it; `port` is the nodes', `host` where connections lead at first. Gives its own port,
 * 0 when it can't listen. */
unsigned tcp_switch_start(const char *host, unsigned port);

/* New connections lead to another node from now on. Any thread. */
void tcp_switch_lead_to(const char *host);

#endif
