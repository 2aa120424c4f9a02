package main

import (
	"fmt"
	"slices"
	"strings"
)

// The roles of a node.
const (
	// roleGateway serves clients: it takes mutations, and shows boards.
	roleGateway = "gateway"
	// roleDomain decides commands, and does what the log itself needs: it signs
	// checkpoints, sweeps up after uploads, and makes the demo board.
	roleDomain = "domain"
)

// does says whether the node has a role.
func (c *serveCmd) does(role string) bool { return slices.Contains(c.Roles, role) }

// checkRoles says what is wrong with --roles.
func (c *serveCmd) checkRoles() error {
	for _, role := range c.Roles {
		if role != roleGateway && role != roleDomain {
			return fmt.Errorf("--roles=%s: %s is none; it is %s, %s, or both with a comma between", strings.Join(c.Roles, ","), role, roleGateway, roleDomain)
		}
	}
	switch {
	case len(c.Roles) == 0:
		return fmt.Errorf("--roles: it is %s, %s, or both with a comma between", roleGateway, roleDomain)
	case c.does(roleGateway) && c.does(roleDomain):
		return nil
	case c.NATSURL == "" && !c.clustered():
		return fmt.Errorf("--roles=%s: the log is this process's alone, and nobody has the other role; it takes --nats-url or --cluster-addr", strings.Join(c.Roles, ","))
	}
	return nil
}
