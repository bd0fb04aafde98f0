import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
import orgs.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('orgs', '0001_initial'), ('orgs', '0002_budget'), ('orgs', '0003_unit_language'), ('orgs', '0004_room_limits'), ('orgs', '0005_user_language'), ('orgs', '0006_never_quiet'), ('orgs', '0007_token_user'), ('orgs', '0008_approval'), ('orgs', '0009_deputies'), ('orgs', '0010_moves')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('language', models.CharField(blank=True, choices=orgs.models.languages, db_default='', default='', help_text='In it pages are shown. Empty: as the browser asks.', max_length=10, verbose_name='language')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='Token',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='What uses this token.', max_length=100, verbose_name='name')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('hint', models.CharField(editable=False, help_text='The last four characters.', max_length=4, verbose_name='ends with')),
                ('scopes', models.JSONField(default=list, help_text='Any of: read, write, approve.', verbose_name='scopes')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires')),
                ('last_used_at', models.DateTimeField(editable=False, null=True, verbose_name='last used')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'API token',
                'verbose_name_plural': 'API tokens',
            },
        ),
        migrations.CreateModel(
            name='Unit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=255, unique=True)),
                ('depth', models.PositiveIntegerField()),
                ('numchild', models.PositiveIntegerField(default=0)),
                ('kind', models.CharField(choices=[('headquarters', 'headquarters'), ('distributor', 'distributor'), ('agency', 'agency'), ('branch', 'branch')], max_length=20, verbose_name='kind')),
                ('code', models.CharField(help_text='The code by which other systems know this unit.', max_length=50, verbose_name='code')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('zone', models.CharField(default='Asia/Seoul', help_text='New schedules of this unit start with this zone.', max_length=50, validators=[orgs.models.validate_zone], verbose_name='time zone')),
                ('language', models.CharField(blank=True, choices=orgs.models.languages, help_text='In it the dates of messages are written. Empty: as the unit above.', max_length=10, verbose_name='language')),
                ('is_active', models.BooleanField(default=True, help_text='Nothing is sent for an inactive unit.', verbose_name='active')),
                ('monthly_budget', models.PositiveIntegerField(blank=True, help_text='How many billed messages may be sent in a month for this unit and those under it. Empty: as many as its accounts allow.', null=True, verbose_name='budget of a month')),
                ('quiet_from', models.TimeField(blank=True, help_text='From then on nothing is sent to the rooms of this unit and of those under it which have no quiet hours of their own, on their own clocks.', null=True, verbose_name='quiet from')),
                ('quiet_until', models.TimeField(blank=True, help_text='Past midnight, if it is earlier.', null=True, verbose_name='quiet until')),
                ('never_quiet', models.BooleanField(db_default=False, default=False, help_text='Those of the units above do not count here and below.', verbose_name='no quiet hours')),
                ('approval', models.CharField(blank=True, choices=[('', 'as the unit above'), ('demanded', 'needed'), ('free', 'not needed')], db_default='', default='', help_text='Where it is needed, what others register for this unit or those under it waits until an approver of this unit, or above, says yes.', max_length=10, verbose_name='approval')),
            ],
            options={
                'verbose_name': 'unit',
                'verbose_name_plural': 'units',
                'constraints': [models.UniqueConstraint(fields=('kind', 'code'), name='one_unit_per_code'), models.CheckConstraint(condition=models.Q(models.Q(('quiet_from', None), ('quiet_until', None)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False), models.Q(('quiet_from', models.F('quiet_until')), _negated=True)), _connector='OR'), name='quiet_hours_of_a_unit_are_whole', violation_error_message='Give the beginning and another end of the quiet hours.'), models.CheckConstraint(condition=models.Q(('never_quiet', False), ('quiet_from', None), _connector='OR'), name='a_unit_is_never_quiet_or_has_quiet_hours', violation_error_message='Give quiet hours, or choose that there are none: not both.')],
            },
        ),
        migrations.CreateModel(
            name='Move',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('old_path', models.CharField(max_length=255, unique=True)),
                ('new_path', models.CharField(max_length=255, unique=True)),
                ('moved_at', models.DateTimeField(db_index=True)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgs.unit')),
            ],
            options={
                'verbose_name': 'move of a unit',
                'verbose_name_plural': 'moves of units',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Member',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.PositiveSmallIntegerField(choices=[(10, 'viewer'), (20, 'operator'), (30, 'approver'), (40, 'manager')], verbose_name='role')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL, verbose_name='user')),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='orgs.unit', verbose_name='unit')),
            ],
            options={
                'verbose_name': 'member',
                'verbose_name_plural': 'members',
            },
        ),
        migrations.CreateModel(
            name='Deputy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('begins_at', models.DateTimeField(verbose_name='from')),
                ('ends_at', models.DateTimeField(verbose_name='until')),
                ('named_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='named by')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deputyships', to='orgs.member', verbose_name='person')),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgs.unit', verbose_name='unit')),
            ],
            options={
                'verbose_name': 'deputy',
                'verbose_name_plural': 'deputies',
                'indexes': [models.Index(fields=['member', 'ends_at'], name='deputy_of_member')],
                'constraints': [models.CheckConstraint(condition=models.Q(('begins_at__lt', models.F('ends_at'))), name='a_deputy_ends_after_beginning')],
            },
        ),
    ]
