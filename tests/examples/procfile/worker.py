print('not run yet')
