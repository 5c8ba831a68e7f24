import faulthandler,hashlib as M,io,lzma,numpy as N,os as n,signal,subprocess,sys as c,time as d,torch as e,torch.distributed as i,torch.nn.functional as u,traceback
from functools import partial as m
from pathlib import Path as t
from sentencepiece import SentencePieceProcessor
from torch import nn as O
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as o
def ed(o,t):
 if not o.i:return t,
 a=range(o.shape[0]//len(o.i));return tuple(r.format(n)for r in o.i for n in a)
def k(i):
 d=[]
 for o in i:
  if o.i:
   a=range(o.shape[0]//len(o.i))
   for(r,c)in zip(o.i,o.init,strict=True):d+=[(r.format(n),c,o)for n in a]
  else:d+=[(t,o.init,o)for t in o.r()]
 return d
def ec(s,i,device,r):
 for o in i:
  h=r if o.dtype=='activation'else e.float32
  for t in o.r():
   *d,c=t.split('.');n=s
   for a in d:
    if a not in n._modules:n.add_module(a,O.ModuleList())
    n=n._modules[a]
   n.register_parameter(c,O.Parameter(e.empty(o.shape,dtype=h,device=device)))
def eu(o,t):a=M.sha256(f"{o}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(a[:7],'little'))
def em(h,i,o,n):
 s=x(h.state_dict(),i)
 for(t,c,w)in k(i):a=e.empty(s[t].shape);c(a,eu(o,t),n);s[t].copy_(a)
def x(s,i):
 a=[]
 for o in i:
  for t in o.r():a+=s[t].unbind()if o.i else[s[t]]
 return{t:r for((t,w,w),r)in zip(k(i),a,strict=True)}
def a(tensor,generator,ledger):tensor.zero_()
def j(tensor,generator,ledger):tensor.fill_(1.)
def q(tensor,generator,ledger,value):tensor.fill_(value)
def ef(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
def ep():
 o=n.environ.get;r,t,a=int(o('RANK',0)),int(o('WORLD_SIZE',1)),int(o('LOCAL_RANK',0))
 if t<1 or 8%t:raise ValueError(f"WORLD_SIZE is {t}, wanted a divisor of 8, the micro-batches of a step")
 return r,t,a
def eg():
 global l,oP,p,s;r,t,a=ep();o,u='gloo',e.device('cpu')
 if e.cuda.is_available():o,u='nccl',e.device('cuda',a);e.cuda.set_device(u)
 if t>1:i.init_process_group(o)
 p=r;s=t;oP=a;l=u;return
def ew():
 if s>1:i.destroy_process_group()
def ey(r):
 if s>1:i.all_reduce(r)
 return r
def eb(value):
 o=[value]*s
 if s>1:i.all_gather_object(o,value)
 return o
def ev(value):
 if s==1:return value
 o=e.tensor(value,dtype=float,device=l);i.all_reduce(o,i.ReduceOp.MAX);return o.item()
def ek(r):
 if r.grad is None:r.grad=e.zeros_like(r)
 return r.grad
def ex(a):
 t=[ek(r)for r in a]
 if s>1:
  h=e.cat([d.flatten()for d in t]);i.all_reduce(h);o=(h/s).split([d.numel()for d in t])
  for(d,w)in zip(t,o,strict=True):d.copy_(w.view_as(d))
def ej(t,n):
 if s>1:return i.reduce_scatter(t,list(n.chunk(s)),async_op=True)
 t.copy_(n);return
def eq(n,t):
 if s>1:return i.all_gather(list(n.chunk(s)),t,async_op=True)
 n.copy_(t);return
def ez(e):
 if e is not None:e.wait()
def eA():
 t=''
 try:ow()
 except(OSError,ValueError)as o:t=f"{ei}: {o}"
 for(r,a)in enumerate(eb(t)):
  if a:raise ValueError(f"{a} (on rank {r})"if r else a)
def eB(a):
 if a is not None:h(f"prepared {ei}: {a}")
class Param(o):
 name:o;shape:o;group:o;q:o;init:o=None;l:o='';dtype:o='float32';layers:o=0;i:o=();reduction:o='replicated';B:o='';m:o=True;H:o=True;export:o='yes'
 def r(e):return[e.name.format(n)for n in range(e.layers)]or[e.name]
class Group(o):name:o;lr:o;weight_decay:o=.0
class Phase(o):name:o;start:o;A:o=True;l:o=''
class z:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def s(e,n,a):e.done[n,'']=a
 def z(e,n):return', '.join(f"{a} {o}".strip()for((t,o),a)in e.done.items()if t==n and a)
def eC(r,a,o):return(r/A(a)).round().clamp(-o,o).to(e.int8)
def A(a):return a[:,None]if a.ndim else a
def eD(o,a,r):return(o.float()*A(a).float()).to(r)
def eE(r):
 if r.ndim==2:a=(r.abs().amax(1)/31).clamp_min(1/31)
 else:a=r.abs().amax()/31;a=a if a>0 else a+1
 a=a.half();return eC(r,a.float(),31),a
def eF(o,r):
 if'kept'in o:return o['kept'].to(r)
 return eD(o['codes'],o['step'],r)
def B(t,o):
 a=n.environ.get(t,o)
 try:return int(a)
 except ValueError:raise ValueError(f"{t} is {a!r}, wanted a whole number like {o!r}")from None
def eG():
 a=n.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(a)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {a!r}, wanted seconds like 600.0")from None
def eH():global U,V,W,X,ox,Y,Z,oj,oq,oz;o=n.environ.get;U=o('DATA_PATH','./data/datasets/fineweb10B_sp1024');V='export'in c.argv;W=B('ITERATIONS',20000);X=eG();ox=o('RUN_ID',str(d.time_ns()));Y='score'in c.argv;Z=B('SEED',1337);oj=o('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oq=B('TRAIN_LOG_EVERY',200);oz=B('VAL_LOSS_EVERY',1000);return
class Score(o):val_loss:o;d:o;C:o;g:o
def eI(n):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream is not scored")
def eJ(n):r=v[n].to(l,int);a=r[:,:-1].contiguous();return a,r[:,1:].contiguous(),eK(a)
def eK(r):return{}
def eL(t,m,n,c):
 i,u=n[:,1:],l;t[i[c]]=m;a,r,d=eJ(n)
 with e.set_grad_enabled(False):b=oC(a,r,phases=tG(),fields=d,reduction='none',adapter=None)
 s,h=aM(a,r,i.to(u)),c.to(u);o=b.detach().double()*h,h,s*h;return b,e.stack([w.sum().double()for w in o])
def eM(t,o):
 if s>1:t=t.to(l);i.all_reduce(t,o)
 return t.cpu()
def eN(t,r,u):
 eI(1+(t[1:]==0).nonzero().flatten());o,a,i=ey(r).tolist()
 if a>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(o/a,o/.6931471805599453/i,int(a),1e3*(d.perf_counter()-u))
def eO(scored_at):
 if p==0:d=f"logs/{ox}.scores.npz";N.savez_compressed(d,scored_at=scored_at.numpy())
class Span(o):start:o;end:o;D:o
def eP(o):return[Span(a,a+4096,0)for a in range(0,(o-1)//4096*4096,4096)]
def eQ(o,r,t):return o[len(o)*r//t:len(o)*(r+1)//t]
def eR(w,o):
 n=e.zeros(o,4097,dtype=int);c=e.zeros(o,4096,dtype=bool)
 for(r,(a,t,d))in enumerate(w):n[r,:t+1-a]=e.arange(a,t+1);c[r,d:t-a]=True
 return n,c
def C(w):
 u,o=d.perf_counter(),oB;b.eval();w=eQ(w,p,s);t=e.zeros(len(v),dtype=e.int32);r=e.zeros(3,dtype=float,device=l)
 for(m,a)in enumerate(range(0,len(w),o),1):
  n,c=eR(w[a:a+o],o);r+=eL(t,m,n,c)[1]
  if m%100==0:h(f"eval: batch {m}")
 b.train();t=eM(t,i.ReduceOp.MAX);return eN(t,r,u),t
def eS(i):return{t:o.q for(t,w,o)in k(i)if o.export!='drop'}
def eT(s,i,u,n,r=0):
 c,a=eS(i),{}
 for(t,e)in c.items():o=T[e].encode(t,s[t],u.get(t,{}),n);a[t]={d:m.cpu()for(d,m)in o.items()}
 return eU(a)
def eU(a):return a
def eV(a,n):return aD(aH(a,n),n)
def eW(data,s):
 t=2**20+sum(8*r.numel()+4096 for r in s.values())
 try:return aI(aE(data,t))
 except Exception as o:raise ValueError(f"the artifact cannot be read: {o}")from o
def eX(t,o,e,r):return T[e].decode(t,o,r)
def eY(a,s,i):
 c=eS(i)
 if a.keys()!=c.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,e)in c.items():
  try:r=eZ(t,a[t],e,s[t].dtype)
  except Exception as o:raise ValueError(f"the artifact's {t} cannot be decoded: {o!r}")from o
  if r.shape!=s[t].shape:raise ValueError(f"{t}: shape {[*r.shape]}, wanted {[*s[t].shape]}")
  s[t].copy_(r)
def eZ(t,o,e,r):return eX(t,o,e,r)
def te(d,r,o):
 global et,ee,oI;oI,et=r,r==0;t('logs').mkdir(exist_ok=True);ee=t('logs',d+'.txt')
 if et and not o:ee.write_text('')
 c.excepthook=m(ta,ee);faulthandler.register(signal.SIGTERM,ee.open('a'),chain=True)
def h(o):
 if et:
  print(o,flush=True)
  with ee.open('a')as e:print(o,file=e)
def tt(a):
 if et:h(f"error: {a}")
 elif a not in ee.read_text():
  with ee.open('a')as e:print(f"rank {oI}: error: {a}",file=e)
def ta(path,kind,error,trace):
 with path.open('a')as e:traceback.print_exception(error,file=e)
 c.__excepthook__(kind,error,trace)
def to(device):
 a=M.sha256(t(c.argv[0]).read_bytes()).hexdigest();o=f"hardware:{n.uname().machine} CPU, {e.get_num_threads()} threads"
 if device.type=='cuda':o=subprocess.getoutput('nvidia-smi')
 h(f"Running Python {c.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{a}\n{o}")
def D():return len(t(c.argv[0]).read_bytes())
oy='final_model.pt'
def E():return T['mlp'].name
def ti():return t(f"final_model.{E()}.ptz")
def tn(a):
 s=x(b.state_dict(),g)
 if p==0:t('final_export.pt').unlink(missing_ok=True);F(m(e.save,s),'final_model.pt')
 u=tl()
 if p==0:d=u,w.done,y,en,eo;F(m(e.save,d),'final_export.pt')
 ts(s,u)
def ts(s,u):
 o=tH();r('diagnostic','val');h(f"diagnostic pre-quantization post-ema val_loss:{o.val_loss:.8f} val_bpb:{o.d:.8f} eval_time:{o.g:.0f}ms")
 if p==0:td(s,u)
 ev(.0);tu()
def F(a,d):
 o=t('final_model.tmp')
 try:
  a(o)
  with o.open('rb')as e:n.fsync(e.fileno())
  o.replace(d)
 finally:o.unlink(missing_ok=True)
def tr():
 global eo,en,y;s=x(b.state_dict(),g);a,d=th('final_model.pt'),th('final_export.pt');o=[t for t in s if t not in a or a[t].shape!=s[t].shape]
 if o:raise ValueError(f"final_model.pt is of another model: {o[0]} is missing or has another shape")
 for(t,r)in s.items():r.copy_(a[t])
 u,e,y,en,eo=d;w.done.update(e);tD(eo);ts(s,u)
def th(d):
 try:return e.load(d,l,weights_only=True)
 except OSError:raise
 except Exception as o:raise ValueError(f"{d} is damaged: {str(o)[:99]!r}")from o
def tl():global ea;u={};ea=False;return u
def td(s,u):a=eT(s,g,u,w,D());r('quantize','none');c=eV(a,w);r('compress','none');F(m(t.write_bytes,data=c),ti());e=f"{E()}+lzma";h(f"Serialized model: {t(oy).stat().st_size} bytes\nCode size: {D()} bytes\nSerialized model {e}: {len(c)} bytes\nTotal submission size {e}: {len(c)+D()} bytes")
def tc():
 i=g;s=x(b.state_dict(),i)
 for r in s.values():r.zero_()
 c=ti().read_bytes();a=M.sha256(c).hexdigest()
 if Y:
  o=''.join(d.read_text()for d in t('logs').glob('*.txt'))
  if'artifact_sha256:'in o and a not in o:raise ValueError('the artifact is not that of the logs in logs/')
 h('artifact_sha256:'+a);eY(eW(c,s),s,i)
def tu():a=E();tc();r('decode','none');o,t=C(eP(len(v)));r('score','val');tm(f"{a}_lzma_roundtrip",o);o,t=C(aQ(len(v)));r('score','val');tm(f"{a}_sliding_window",o);eO(t);w.count('sliding_eval','targets',o.C)
def tm(e,o):h(f"final_{e} val_loss:{o.val_loss:.4f} val_bpb:{o.d:.4f} eval_time:{o.g:.0f}ms\nfinal_{e}_exact val_loss:{o.val_loss:.8f} val_bpb:{o.d:.8f}")
def tf():
 o=[s.l for s in f if s.name not in y];a=False
 for t in ov:
  r=w.z(t)
  if r and t not in o:h(f"receipt {t}: {r}")
  else:h(f"error: plugin {t} did nothing");a=p==0
 return a
class tp:
 def __init__(e,h,i):c=[(h.get_parameter(t),ed(o,t),o)for o in i for t in o.r()];e.tensors=[r for(r,d,o)in c];e.names=[d for(r,d,o)in c];e.replicated=[r for(r,d,o)in c if o.reduction=='replicated'];e.u=[r for(r,d,o)in c if o.m];e.k=[d for(r,d,o)in c if o.m];a=[r for(r,d,o)in c if o.group=='matrix'];u=[d for(r,d,o)in c if o.group=='matrix'];oa(a,u);n=[(s,[r for(r,d,o)in c if o.group==s.name],[d for(r,d,o)in c if o.group==s.name])for s in ob];aR(n)
 @e.no_grad()
 def step(e,scalars,ledger):
  aW(e.tensors,e.names,ledger);oo();ex(e.replicated);aS(scalars,ledger);oi(scalars,ledger)
  for r in e.tensors:r.grad=None
def tg(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def tw():return{}
def ty(o,d):return ot(o).contiguous()
def tb(d,r,h):r.mul_(h).add_(d);return d.add(r,alpha=h)
def tv(o):return max(1,o.shape[-2]/o.shape[-1])**.5
class Progress(o):step:o;x:o;p:o;f:o;E:o;n:o
class Scalars(o):n:o;b:o;momentum:o
def tk(a,r,t,n):e=t/n if n>0 else a/max(r,1);return Progress(a,r,t,n,e,1.)
class Context(o):
 ids:o;phases:o;training:o;a:o;memo:o;fields:o;c:o;w:o;ledger:o
 def t(e,n,o,a=1):
  if e.ledger is not None:e.ledger.count(n,o,a)
def G(a):return u.rms_norm(a,(a.size(-1),),eps=1.1920929e-07)
def tx(a):return u.pad(a[:,:-1],(0,0)*(a.dim()-2)+(1,0))
def tj(r,d,t):r=ou(r,d,t);return r
def tq(r,a,d,n,o,t):
 r=tj(r,d,t)
 if t.w is not None:t.w(d,n,a)
 return H(u.linear(a,r.to(a.dtype)),a,d,o,t)
def H(r,a,e,o,t):
 if t.c is not None and e in t.c.sites:r=r+t.c.delta(a,e,o)
 return r
def tz(o,t):
 if'rope'not in t.memo:r,c,u=o.size(1),o.size(3),o.device;a=1e4**(-e.arange(0,c,2,dtype=e.float32,device=u)/c);n=e.outer(e.arange(r,dtype=e.float32,device=u),a);t.memo['rope']=n.cos(),n.sin()
 i,h=(w[None,:,None,:].to(o.dtype)for w in t.memo['rope']);s,d=o.chunk(2,-1);return e.cat((s*i+d*h,d*i-s*h),-1)
class GPT(O.Module):
 def __init__(e,i,device,r):super().__init__();e.records=i;ec(e,i,device,r)
 def matrices(e):return x(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tj(ctx.a[f"blocks.{layer}.{role}.weight"],role,ctx)
 def h(e,a,d,n,o,t):return tq(t.a[f"blocks.{n}.{d}.weight"],a,d,n,o,t)
 def stem(e,ids,ctx):a=u.embedding(ids,ctx.a['tok_emb.weight']);a=a+tW(ids,ctx);a=G(a);a=aw(a,ctx);return a
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):o=fields or{};s={};fields={**s,**o};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);a=e.stem(ids,t);a=G(ag(e,a,a,t));u=az(a,t);c=tX(u,targets,reduction,t);return c
def tA(o):
 o=t(o);a=sorted(d for d in o.parent.glob(o.name)if('_bytes_'in d.name)==('_bytes_'in o.name))
 if not a:raise ValueError(f"{o}: no shard matches, see DATA_PATH")
 return a
def tB(d):
 i,o=t(d).stat().st_size,N.fromfile(d,'<i4',3).tolist()
 if i<=1024 or o!=[20240520,1,(i-1024)/2]:raise ValueError(f"{d}: {i} bytes and header {o}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return o[2]
def I(d):
 a=N.memmap(d,'<u2','r',1024,tB(d))
 if a.max()>=1024:raise ValueError(f"{d}: token {a.argmax()} is {a.max()}, wanted an id below 1024")
 return a
def tC(o):
 a=N.concatenate([I(d)for d in tA(o)])
 if len(a)<=4096:raise ValueError(f"{o}: {len(a)} tokens, wanted at least 4097")
 return e.from_numpy(a[:(len(a)-1)//4096*4096+1])
def tD(t):global oA;oA=d.perf_counter()-t/1e3
def r(t,data):global eo;o=1e3*(d.perf_counter()-oA);h(f"stage:{t} begin:{eo:.0f}ms end:{o:.0f}ms data:{data}");eo=o
def tE(i,n):global eo,en,oC,w,b,g,y,ei,oQ,oB,oA,v,ea;g=i;w=n;y=();ei='';eo=.0;oA=d.perf_counter();en=False;ea=not(Y or V);oQ=0;oB=max(16,1);r=e.bfloat16 if l.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;b=GPT(i,l,r);em(b,i,Z,n);oC=tg(b);o=t(U,'fineweb_val_*.bin');v=tC(o);aL(oj,U,l,n);a=M.sha256(v.numpy().data).hexdigest();h(f"val_loader:shards pattern={o} tokens:{len(v)-1}\nval_sha256:{a}")
def J(n):o=t(U,'fineweb_train_*.bin');aN(o,p,s,n)
def tF():
 if not ea:raise ValueError('training data are closed: training time is over')
 m=aP();a,r=(w.to(l,non_blocking=True)for w in m);return a,r,{}
def tG():return tuple(s.name for s in f if s.A and s.name in y)
def tH():return C(eP(len(v)))[0]
def tI(h):
 o=[()]
 for s in h:o+=[(*n,s.name)for n in o]
 return o
def tJ():
 h,n=b,w;a,r,d=tF();a,r=a[:1,:512],r[:1,:512];d={t:m[:1,:512]for(t,m)in d.items()};e=tuple(s.name for s in f);h(a,r,phases=e,fields=d,ledger=n).backward()
 for o in g:i=sum(h.get_parameter(t).grad is not None for t in o.r());n.count(o.l,'trained tensors',i)
 h.zero_grad()
def tK():
 s=b.state_dict();o={t:r.clone()for(t,r)in s.items()};u,d=tp(b,g),z();J(d)
 for n in tI(f):
  for a in range(20):tP(u,n,Scalars(1.,1.,.9),d);h(' '.join((f"warmup_step:{a+1}/20",*n)))
 for(t,r)in s.items():r.copy_(o[t])
 e.manual_seed(Z);J(w)
def tL(i):
 try:r,s,n=eH(),eg(),z()
 except ValueError as o:print(f"error: {o}",file=c.stderr);c.exit(2)
 d=eb(ox)[0];te(d,p,V);e.manual_seed(Z);e.backends.cuda.matmul.allow_tf32=True
 if X==0:tN()
 to(l);h('plugins:'+' '.join(ov));tM(i,n)
 if ea:
  tO();tJ();tK();a=tS()
  try:tn(a)
  except(OSError,ValueError)as o:tt(str(o));c.exit(f"error: rank {p}: {o}")
 t=not Y and(tf()or en);ew()
 if t:c.exit(1)
def tM(i,n):
 global y
 try:
  tE(i,n);eA()
  if V:tr()
  elif Y:y=tuple(s.name for s in f);tu()
  else:J(z())
  return
 except(OSError,ValueError)as o:
  tt(str(o))
  if not V:ew()
  c.exit(2)
def tN():n.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tO():t=s;h(f"model_params:{sum(r.numel()for r in b.parameters())}\nworld_size:{t} grad_accum_steps:{8//t}\nseed:{Z}\ntrain_batch_tokens:786432 train_seq_len:4096 iterations:{W} warmup_steps:20 max_wallclock_seconds:{X:.3f}")
def tP(u,h,i,n):
 o=8//s;t=.0
 for w in range(o):a,r,d=tF();c=oC(a,r,phases=h,fields=d)/o;t+=c.detach();c.backward()
 u.step(i,n);return t
def tQ(a,t,n):
 global y;o=tk(a,W,t,n);i=Scalars(1.,1.,.0)
 for e in(aX,oc):i=e(o,i,w)
 for s in f:
  if s.name not in y and s.start(o._replace(n=i.n)):y=tuple(r.name for r in f if r.name in y or r is s);w.s(s.l,f"on at step {a}");h(f"phase {s.name} on at step:{a} train_time:{t:.0f}ms")
 return i
def tR():o=X;return 1e3*o
def tS():
 u=tp(b,g);aT(u.u,u.k);n,a,t=tR(),0,.0;os()
 while True:
  d=a==W or 0<n<=t
  if d or oz>0 and a%oz==0:
   oh(w);o=tH();tT(a,f"val_loss:{o.val_loss:.4f} val_bpb:{o.d:.4f}",t)
   if d:break
   os()
  i=tQ(a,t,n);c=tP(u,y,i,w);a+=1;aU(u.u,a,i);t=ev(ol(a))
  if oq>0 and(a<=10 or a%oq==0):
   tT(a,f"train_loss:{c:.4f}",t)
   if c!=c:raise ValueError('the training loss is not a number')
 if a<W:h(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{a}/{W}")
 s,m=e.cuda.max_memory_allocated()>>20,e.cuda.max_memory_reserved()>>20;h(f"peak memory allocated: {s} MiB reserved: {m} MiB");aV(u.u,w);tD(t);r('train','train');return a
def tT(a,o,t):h(f"step:{a}/{W} {o} train_time:{t:.0f}ms step_avg:{t/max(a,1):.2f}ms")
def tU(a,o,r,t):t.t('additive_skips','skips');return a+t.a['skip_weights'][r].to(a.dtype)*o
def tV(a):o=e.bitwise_xor(36313*a[:,1:],27191*a[:,:-1])%3071;return u.pad(o,(1,0),value=3071)
def tW(a,t):t.t('bigram_hash','lookups');o=u.embedding(tV(a),t.a['bigram.embed.weight']);r=u.linear(o,t.a['bigram.proj.weight'].to(o.dtype));return r*t.a['bigram.scale'].to(o.dtype)
def tX(o,a,reduction,t):t.t('cross_entropy','losses');c=u.cross_entropy(o.flatten(0,1).float(),a.flatten(),reduction=reduction);return c.view_as(a)if reduction=='none'else c
def tY(h,a,n,o,t):t.t('leaky_relu2','layers');r=u.leaky_relu(h.h(a,'mlp.fc',n,o,t),.5).square();return h.h(r,'mlp.proj',n,o,t)
def tZ(a,n,t):t.t('ln_scale','branches');r=(n+1)**-.5;return a*r
def K(tensor,generator,ledger):
 if min(tensor.shape)>=64:O.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:o=tensor.shape[-1]**-.5;tensor.uniform_(-o,o,generator=generator)
def ae(o,t):t.t('partial_rope','rotations');a=tz(o[...,:16],t);return e.cat((a,o[...,16:]),-1)
def at(model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):
 if layer<6:return q_BTHC,k_BTKC
 ctx.t('pko','layers');r=k_BTKC[...,16:];d=e.cat((r[:,:1],r[:,:-1]),dim=1)
 if'starts'in ctx.fields:d=e.where(ctx.fields['starts'][:,:,None,None],r,d)
 return q_BTHC,e.cat((k_BTKC[...,:16],d),dim=-1)
def aa(model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):ctx.t('qk_gain','layers');r=ctx.a[f"blocks.{layer}.attn.q_gain"].to(q_BTHC.dtype);return q_BTHC*r[:,None],k_BTKC
def ao(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def ai(h,a,n,o,t):
 s=h.h(a,'attn.c_q',n,o,t);i=h.h(a,'attn.c_k',n,o,t);d=h.h(a,'attn.c_v',n,o,t);d=aB(d,n,t);s=ae(G(e.unflatten(s,2,(8,-1))),t);i=ae(G(e.unflatten(i,2,(4,-1))),t);d=e.unflatten(d,2,(4,-1))
 for u in(at,aa):s,i=u(h,s,i,a,n,o,t)
 r=aq(s,i,d,n,t);r=aC(r,d,n,t);r=h.h(r.flatten(2),'attn.proj',n,o,t);return H(r,a,'attn',o,t)
def an(c,l,o,a,t):
 s,i,d=c.transpose(1,2),l.transpose(1,2),o.transpose(1,2)
 if a<0 or a>=s.size(2)-1:h=s.size(1)!=i.size(1);return u.scaled_dot_product_attention(s,i,d,is_causal=True,enable_gqa=h).transpose(1,2)
 return ar(c,l,o,ah(s.size(2),a,s.device,t))
def ar(c,l,o,h):s,i,d=c.transpose(1,2),l.transpose(1,2),o.transpose(1,2);r=s.size(1)//i.size(1);i,d=i.repeat_interleave(r,1),d.repeat_interleave(r,1);return u.scaled_dot_product_attention(s,i,d,attn_mask=h).transpose(1,2)
def ah(r,a,device,t):
 d='window',a
 if d not in t.memo:o=e.arange(r,device=device);n=o[:,None]-o[None,:];t.memo[d]=(n>=0)&(n<=a)
 h=t.memo[d];return h
def al(a,e,n,t):o=t.a[f"blocks.{n}.resid_mix"].to(a.dtype);return o[0]*a+o[1]*e
def ad(a,n,t):o=G(a);o=tZ(o,n,t);return o
def ac(h,a,n,o,t):r=ai(h,a,n,o,t);return t.a[f"blocks.{n}.attn_scale"].to(a.dtype)*r
def au(h,a,n,o,t):r=H(tY(h,a,n,o,t),a,'mlp',o,t);return t.a[f"blocks.{n}.mlp_scale"].to(a.dtype)*r
def am(h,a,e,n,o,t):s=al(a[0],e,n,t);s=s+ac(h,ad(s,n,t),n,o,t);return s+au(h,ad(s,n,t),n,o,t),
def af(a,o,r,n,t):
 if o is None:return a
 return tU(a[0],o,r,t),*a[1:]
def ap(h,a,e,t):
 i,s=aA(t.phases);t.t('unet_plan','steps over 11 layers',len(i)+len(s));d=[]
 for(o,n)in enumerate(i):a=am(h,a,e,n,o,t);d.append(a[0])
 for(r,n)in enumerate(s):a=af(a,d.pop()if d else None,r,n,t);a=am(h,a,e,n,len(i)+r,t)
 return a
def ag(h,o,a,t):t.t('sequential_wiring','walks');return ap(h,(o,),a,t)[0]
def aw(o,t):t.t('smear_gate','blends');a=e.sigmoid(t.a['smear.gate']).to(o.dtype);return(1-a)*o+a*tx(o)
def ay(device):
 if device.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as o;return'flash-attn 3',o
 except ImportError:
  try:from flash_attn import flash_attn_func as o;return'flash-attn 2',o
  except ImportError:return ak(),None
def ab(t,c,l,o,a):r=t(c,l,o,causal=True,window_size=(a,0));return r[0]if isinstance(r,tuple)else r
def av(r,c,l,o,a,t):
 if r is not None:return ab(r,c,l,o,a)
 return an(c,l,o,a,t)
def ak():o=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not o);e.backends.cuda.enable_flash_sdp(o);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if o else'cuDNN'
def ax():
 def o(batch,head,query,key):return(query>=key)&(query-key<=256)
 return o
def aj():
 global P;u=l;t,P=ay(u)
 if u.type!='cuda'or P is not None:return t
 for r in(4096,4096):o=ax();Q[r]=create_block_mask(o,None,None,r,r,device=u)
 return f"flex_attention (windows), {t} (full)"
def aq(s,i,d,n,t):
 o=n<6;t.t('swa','windowed layers'if o else'full layers');a=256 if o else-1
 if o and t.ledger is None and s.size(1)in Q:h=s.size(2)!=i.size(2);e=s.transpose(1,2),i.transpose(1,2),d.transpose(1,2);r=flex_attention(*e,block_mask=Q[s.size(1)],enable_gqa=h);return r.transpose(1,2)
 return av(P,s,i,d,a,t)
def az(o,t):t.t('tied_head','heads');a=tq(t.a['tok_emb.weight'],o,'head',0,0,t);return 3e1*e.tanh(a/3e1)
def aA(h):a=tuple(range(11));return a[:len(a)//2],a[len(a)//2:]
def aB(a,n,t):
 if n not in(9,10):return a
 t.t('value_embedding','layers')
 if've'not in t.memo:o=u.embedding(t.ids,t.a['ve_shared.embed.weight']);o=u.linear(o,t.a['ve_shared.proj.weight'].to(o.dtype));t.memo['ve']=o*t.a['ve_shared.scale'].to(o.dtype)
 r=t.a[f"ve_layer_scales.{ok.index(n)}"];e=t.memo['ve'];return a+r.to(a.dtype)*e
def aC(a,o,n,t):
 if n<0:return a
 t.t('xsa','layers');h=e.unflatten(a,2,(o.size(2),-1));r=u.normalize(o,dim=-1)[:,:,:,None,:];return(h-(h*r).sum(-1,keepdim=True)*r).flatten(2,3)
def aD(data,n):h=lzma.compress(data,preset=9);n.s('lzma',f"{len(data)} -> {len(h)} bytes");return h
def aE(data,t):
 s=lzma.LZMADecompressor(memlimit=2**27);o=s.decompress(data,t)
 if not s.eof or s.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return o
def aF(a):r=io.BytesIO();n={c.intern(t):{c.intern(d):w for(d,w)in o.items()}for(t,o)in a.items()};e.save(n,r);return r.getvalue()
def aG(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aH(a,n):c=aF(a);n.s('torch_save',f"{len(a)} tensors in {len(c)} bytes");return c
def aI(data):return aG(data)
def aJ(d):
 try:t=SentencePieceProcessor(d)
 except(OSError,RuntimeError)as o:raise OSError(f"{d}: not a SentencePiece model")from o
 if len(t)>1024:raise ValueError(f"{d} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{d}: U+2581 is not a piece of its own")
 return t
def aK(t):
 o=[(0,0,1)]*1024
 for a in range(len(t)):
  if not(t.is_control(a)or t.is_unknown(a)or t.is_unused(a)):r=t.id_to_piece(a);n=r.startswith('\u2581');o[a]=1 if t.is_byte(a)else len(r.encode())-3*n,n,0
 return e.tensor(o).T
def aL(o,a,device,n):
 global oL,oK,oD,oJ
 if any(t(a).glob('*_bytes_*')):raise ValueError(f"{a}: it has byte side files, build with the plugin that reads them")
 r=aK(aJ(o));oJ,oK,oL=r.to(device);oD=n
def aM(a,o,t):oD.count('sentencepiece_bytes','targets',o.numel());s=oJ[o]+(oK[o]&~oL[a]);return s
def aN(o,r,t,n):
 global es,oO,oM,er,oS,oN;es=tA(o)
 for d in es:tB(d)
 oM,oN,oS,oO=r,t,1024,n;er=I(es[0])
def aO(t):
 global er;o=[]
 while t>0:
  if not len(er):es.append(es.pop(0));er=I(es[0])
  o.append(er[:t]);er=er[t:];t-=len(o[-1])
 return N.concatenate(o)
def aP():t=aO(oN*98305).reshape(oN,-1)[oM];t=e.from_numpy(t.astype(int));oO.count('sequential_loader','batches');return t[:-1].reshape(-1,4096),t[1:].reshape(-1,4096)
def aQ(o):t,i=min(64,4096),o-1;r=range(0,max(i-(4096-t),1),t);return[Span(a,min(a+4096,i),0 if a==0 else 4096-t)for a in r]
def aR(n):global oE;i=[{'params':a,'spec':s}for(s,a,d)in n];oE=e.optim.AdamW(i,betas=(.9,.95),eps=1e-08,fused=True)
def aS(i,n):
 for r in oE.param_groups:r['lr']=r['spec'].lr*i.n;r['weight_decay']=r['spec'].weight_decay*i.b
 oE.step();n.count('adam','steps')
@e.no_grad()
def aT(a,d):global eh,oF;oF=0;eh=[r.detach().float().clone()for r in a]
@e.no_grad()
def aU(a,t,i):global oF;oF+=1;e._foreach_mul_(eh,.997);e._foreach_add_(eh,[r.detach().float()for r in a],alpha=1-.997)
@e.no_grad()
def aV(a,n):
 for(r,o)in zip(a,eh,strict=True):r.copy_(o)
 n.count('ema','updates',oF)
def aW(a,d,n):O.utils.clip_grad_norm_(a,.3);n.count('grad_clip','steps')
def aX(progress,scalars,ledger):a=min(progress.step/1500,1.);h=(1-a)*.92+a*.99;ledger.s('momentum_warmup',f"momentum {h:.4f} at step {progress.step}");return scalars._replace(momentum=h)
def aY(r,o,d,s,i,n):r.mul_(1-s*.04*i.b);n.count('muon_weight_decay','tensors decayed')
def aZ(a,t,r):
 e=a.shape[-2]>a.shape[-1]
 if e:a=a.mT
 a=a/(a.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for w in range(t):o=a@a.mT;n=2.0315*o@o if r else 2.0315*(o@o);a=3.4445*a+(-4.775*o+n)@a
 return a.mT if e else a
def oe(update,steps,scale_first):return aZ(update.bfloat16(),steps,scale_first)
def ot(o):
 global S
 if S is None:S=tg(oe)
 return S(o,5,False)
class MuonBank(o):weight:o;names:o;j:o;full:o;y:o;momentum:o;v:o
def oa(a,d):
 global el,oR;oR=tw();el=[];y=e.bfloat16 if l.type=='cuda'else e.float32
 for(r,u)in sorted(zip(a,d,strict=True),key=lambda pair:-pair[0].numel()):*w,o,g=r.shape;m=-(-len(u)//s);c=(*u,*['']*m*s)[m*p:][:m];f=[(i,o,g)for i in(m*s,m)];n,t=[e.zeros(b,dtype=y,device=l)for b in f];v,h=[e.zeros(b,dtype=e.bfloat16,device=l)for b in f];el.append(MuonBank(r,u,c,n,t,h,v))
def oo():
 global oG;oG=[]
 for t in el:d=ek(t.weight).bfloat16();t.full.flatten()[:d.numel()].copy_(d.flatten());oG.append(ej(t.y,t.full))
def oi(i,n):
 a=[]
 for(t,e)in zip(el,oG,strict=True):
  ez(e);h=s;d=(t.y/h).bfloat16();o=tb(d,t.momentum,i.momentum);o=ty(o,t.j);a.append((t,eq(t.v,o),o))
  if len(a)>1:on(*a.pop(0),i,n)
 for r in a:on(*r,i,n)
def on(t,e,o,i,n):ez(e);r,s=t.weight,.025*i.n;a=t.v.flatten()[:r.numel()].view_as(r);aY(r,a,t.names,s,i,n);r.add_(a,alpha=-s*tv(r));n.count('parallel_muon','bank updates');n.count('newton_schulz','matrices',t.v.size(0))
def os():global oH;oH=d.perf_counter()-R
def oh(n):
 global R
 if e.cuda.is_available():e.cuda.synchronize()
 R=d.perf_counter()-oH;n.s('wall_clock',f"{R:.3f} seconds")
def ol(a):return 1e3*(d.perf_counter()-oH)
def od(o):
 if o.f>0:t=4000*(o.p/max(o.step,1));return min(max(o.f-o.p,.0)/max(t,1e-09),1.)
 a=o.x-o.step;return a/4000 if 0<a<=4000 else 1.
def oc(progress,scalars,ledger):a=od(progress);ledger.s('warmdown_iters',f"multiplier {a:.4f} at step {progress.step}");return scalars._replace(n=scalars.n*a)
def ou(r,d,t):
 if d=='head'or not t.training or'bank_qat'not in t.phases:return r
 t.t('bank_qat','matrices');o,a=eE(r.detach().float());return r+(eD(o,a,r.dtype)-r).detach()
def om(progress):return progress.n<.15
class of:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');o,a=eE(tensor.float());return{'codes':o,'step':a}
 def decode(e,name,parts,kind):return eF(parts,kind)
class L:
 name='int8'
 def __init__(e,o):e.half=o
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');o,a=op(tensor.float());return{'codes':o,'step':a}
 def decode(e,name,parts,kind):return eF(parts,kind)
def op(r):
 if r.ndim==2:o=e.quantile(r.abs(),.9999984,1);a=(o/127).clamp_min(1/127);t=a.half()
 else:o=e.quantile(r.abs().flatten(),.9999984);t=a=o/127 if o>0 else o+1
 o=A(o);return eC(r.clamp(-o,o),a,127),t
def og():return Param('qo_bank',(22,512,512),'matrix','attn',(K,a),'banks',i=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(K,K),'banks',i=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(K,),'banks',i=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(a,),'banks',i=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',j,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',a,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',K,'bigram_hash'),Param('bigram.scale',(),'scalar','control',m(q,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',m(q,value=2.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',j,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',j,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ao,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',a,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',m(ef,std=.005),'tied_head','activation',B='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',m(ef,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',m(q,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',j,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',K,'value_embedding')
def ow():global ei;ei='swa';eB(aj())
P=None
Q={}
R=.0
ob=Group('embed',.035,.04),Group('scalar',.025,.04)
S=None
f=Phase('bank_qat',om,False,'bank_qat'),
ov='adam','additive_skips','bank_qat','banks','bigram_hash','cross_entropy','ema','grad_clip','int6','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','pko','qk_gain','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','swa','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
T={'attn':of(),'aux':L(True),'control':L(False),'embed':L(True),'mlp':of()}
ok=9,10
if __name__=='__main__':tL(og())